"""How fast a log is verified and exported, and how little memory that takes."""

import asyncio
import json
import shutil
import sys
from pathlib import Path

import asyncpg

from adapters import master_key
from adapters.checkpoint_key import open_signer
from adapters.embedded_postgres import PostgresServer
from adapters.postgres_links import Links
from adapters.second_place import FolderPlace
from adapters.wrapping import Wrapping
from bench import fill
from bench.scale import Measuring
from migrations import runner
from workers.integrator.integrator import Integrator
from workers.projector import Projector


async def measure(folder: Path, measuring: Measuring) -> None:
    """On a log of accounts and sessions, with its tree and all its read models; each look is a process of its own."""
    postgres = PostgresServer(folder / "postgres")
    await postgres.start()
    try:
        connection = await asyncpg.connect(postgres.owner_url)
        try:
            await runner.migrate(connection)
        finally:
            await connection.close()
        measuring.told(f"filling a log with {measuring.scale.rebuilt_events:,} real events, its tree and its read models")
        await fill.real_histories(postgres.owner_url, measuring.scale.rebuilt_events)
        await _followed(postgres.app_url, folder / "place")
        for round_ in range(measuring.scale.rounds):
            bundle = folder / f"bundle{round_}"
            measuring.told("verify, export, and verify what was exported")
            whole, log = await _look("verify", postgres.app_url, bundle), await _look("verify_log", postgres.app_url, bundle)
            exported, offline = await _look("export", postgres.app_url, bundle), await _look("offline", postgres.app_url, bundle)
            measuring.rounds.add(
                verify=whole["per_second"],
                verify_log=log["per_second"],
                export=exported["per_second"],
                verify_offline=offline["per_second"],
                verify_mb=max(whole["megabytes"], log["megabytes"]),
                export_mb=exported["megabytes"],
                verify_offline_mb=offline["megabytes"],
            )
            shutil.rmtree(bundle)
    finally:
        await postgres.stop()


async def _followed(url: str, place: Path) -> None:
    """Have the workers make what they make of a log."""
    links = Links(url)
    signer = await open_signer(links, Wrapping([master_key.of_bytes(b"\x01" * 32)]), "https://bench.example.org")
    await links.close()
    integrator, projector = Integrator(url, signer, FolderPlace(place)), Projector(url)
    await projector.begin()
    while await integrator.step() or await projector.step():
        await asyncio.sleep(0)
    while await projector.step():
        await asyncio.sleep(0)
    await asyncio.sleep(1)  # until the last checkpoint may be published
    await integrator.step()
    await integrator.close()
    await projector.close()


async def _look(what: str, url: str, folder: Path) -> dict[str, float]:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.audited", what, url, str(folder), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await child.communicate()
    if child.returncode != 0:
        raise RuntimeError(f"{what} ended with exit code {child.returncode}")
    measured: dict[str, float] = json.loads(output)
    return measured
