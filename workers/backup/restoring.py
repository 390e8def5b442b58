"""Brings a backup into an empty database, and holds what is there then against what was copied."""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from adapters import postgres_programs
from adapters.months import FOLDER
from adapters.postgres import CONNECT_SECONDS, Connection
from adapters.postgres_connect import connect
from adapters.second_place import place_at
from adapters.settings import Settings
from workers.backup import manifest as files
from workers.backup import pieces, seal
from workers.backup.folder import refuse_renamed
from workers.backup.making import SQL, Advance, count_rows, counted
from workers.backup.manifest import BadBackup, Manifest

RESTORED = "processing data for table "


class CannotRestore(Exception):
    """Nothing was restored. The message tells the operator why, and what to do."""


async def believed(folder: Path, settings: Settings) -> Manifest:
    """Read a backup's manifest, its seal, its name and all its files. Raises BadBackup, and what `seal.check` raises."""
    text = files.read(folder)
    try:
        await seal.check(text, files.read(folder, files.SEAL), settings)
        manifest = files.decoded(text)
    except BadBackup as bad:
        raise BadBackup(f"{folder}: {bad}; take another copy of it, or another backup") from bad
    refuse_renamed(folder, manifest)
    if wrong := files.differences(folder, manifest):
        raise BadBackup(f"{folder}: {'; '.join(wrong)}")
    return manifest


async def restore(url: str, folder: Path, manifest: Manifest, told: Callable[[Advance], None] = lambda _: None) -> None:
    """All of it or nothing: it is one transaction. `url` is an administrator's. Raises CannotRestore, CannotStart, ProgramFailed, BadBackup
    where the dump was changed since, or the database has other rows then than the backup says, and what asyncpg does."""
    connection = await connect(url, timeout=CONNECT_SECONDS)
    try:
        await _refuse_unfit(connection, manifest)
        program = postgres_programs.find("pg_restore", connection.get_server_version().major)
        arguments = ["--single-transaction", "--exit-on-error", "--verbose"]
        heard = counted("restoring", RESTORED, len(manifest.tables), told)
        await postgres_programs.run(program, arguments, url, heard, given=pieces.believed(folder / files.DUMP, manifest.pieces))
        await connection.execute("ANALYZE")  # plans go by what it finds
        found = await count_rows(connection)
        if wrong := [name for name in sorted({*found, *manifest.tables}) if found.get(name) != manifest.tables.get(name)]:
            raise BadBackup(f"other rows than were copied are in {', '.join(wrong[:5])}: drop the database again")
    finally:
        await connection.close(timeout=CONNECT_SECONDS)


async def refuse_different(urls: Sequence[str]) -> None:
    """Raises CannotRestore where they lead to more than one database."""
    async with AsyncExitStack() as closing:
        found: set[str] = set()
        for url in urls:
            connection = await connect(url, timeout=CONNECT_SECONDS)
            closing.push_async_callback(connection.close, timeout=CONNECT_SECONDS)
            found.add(await connection.fetchval(SQL["which"]))
    if len(found) > 1:
        raise CannotRestore("MINOS_DATABASE_URL, MINOS_MIGRATION_DATABASE_URL and MINOS_BACKUP_DATABASE_URL lead to different databases")


def refuse_anothers(manifest: Manifest, settings: Settings) -> None:
    """Authorities that share a master key, as one and its rehearsal do, can seal for one another. Raises CannotRestore."""
    if manifest.issuer != settings.issuer:
        raise CannotRestore(
            f"the backup is of {manifest.issuer}, and MINOS_ISSUER is {settings.issuer}: is it the right one? "
            "If so, set MINOS_ISSUER as it was then"
        )


async def put_months(folder: Path, manifest: Manifest, settings: Settings) -> int:
    """Put the months' keys of the backup where none are, and give how many. Raises CannotRestore where some are, BadBackup, PlaceAway."""
    place = place_at(settings.keys_place, settings)
    try:
        if await place.names(FOLDER):
            raise CannotRestore(f"{settings.keys_place} has keys of months: an old copy never goes over them; leave --with-months out")
        names = [name for name in manifest.files if name.startswith(FOLDER)]
        for name in names:
            await place.put(name, files.content(folder, name, manifest), expect=None)
        return len(names)
    finally:
        await place.close()


async def _refuse_unfit(connection: Connection, manifest: Manifest) -> None:
    major = connection.get_server_version().major
    if major < manifest.postgres:
        raise CannotRestore(f"the backup is of PostgreSQL {manifest.postgres}, and this server is {major}")
    if await connection.fetchval(SQL["has_something"]):
        raise CannotRestore(
            "the database is not empty: a backup goes into a new one (CREATE DATABASE ... OWNER minos_owner; where it is in a data folder, "
            "move the folder postgres in there away)"
        )
    if missing := await missing_roles(connection, manifest):
        raise CannotRestore(f"the roles {', '.join(missing)} are not on this server: make them first (docs/how-to/run-on-given-servers.md)")


async def missing_roles(connection: Connection, manifest: Manifest) -> list[str]:
    return [row["name"] for row in await connection.fetch(SQL["missing_roles"], list(manifest.roles))]
