"""Restores a backup into a server of its own, that goes again, and reads through the whole log there."""

import os
from collections.abc import Callable
from pathlib import Path

from adapters.embedded_postgres import PostgresServer
from adapters.postgres import CONNECT_SECONDS
from adapters.postgres_connect import connect
from adapters.scratch import scratch
from workers.audit.verify import Asked, Report, verify
from workers.backup import manifest as files
from workers.backup.making import SQL
from workers.backup.manifest import Manifest
from workers.backup.restoring import missing_roles, restore

PREFIX = "minos-restored-"


async def try_it(folder: Path, manifest: Manifest, told: Callable[..., None]) -> Report:
    """Below TMPDIR, which needs room for the database. Raises what `restore` and `verify` do."""
    with scratch(PREFIX) as place:
        place.chmod(0o711)  # for the system user that the server runs as, where we are root
        server = PostgresServer(place / "postgres", durable=False)
        await server.start()
        try:
            await _make_roles(server.admin_url, manifest)
            await restore(server.admin_url, folder, manifest, told)
            return await checked(server.app_url, folder, manifest, told)
        finally:
            await server.stop()


async def checked(url: str, folder: Path, manifest: Manifest, told: Callable[..., None]) -> Report:
    """Hold a restored log against its tree and the checkpoint in the backup. `url` is the serving role's."""
    kept = [(files.CHECKPOINT, manifest.epoch, files.content(folder, files.CHECKPOINT, manifest).decode())] if manifest.checkpoint else []
    return await verify(Asked(url=url, kept=kept, is_copy=True, processes=len(os.sched_getaffinity(0))), told)


async def _make_roles(url: str, manifest: Manifest) -> None:
    connection = await connect(url, timeout=CONNECT_SECONDS)
    try:
        for role in await missing_roles(connection, manifest):
            await connection.execute(await connection.fetchval(SQL["make_role"], role))
    finally:
        await connection.close(timeout=CONNECT_SECONDS)
