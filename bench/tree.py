"""What the audit tree takes of the appends' rate."""

import asyncio
import os
from functools import partial
from pathlib import Path

import asyncpg

from adapters import master_key
from adapters.checkpoint_key import open_signer
from adapters.giving_way import give_way
from adapters.postgres_links import Links
from adapters.second_place import FolderPlace
from adapters.wrapping import Wrapping
from bench.sequencing import Cost, begun, cost_beside, ended, sequence
from cli.work import BESIDE_THE_API
from workers.integrator.integrator import Integrator

_CAUGHT_UP_S = 120.0
_BEHIND = "SELECT (SELECT size FROM log_head) - coalesce((SELECT max(size) FROM log_checkpoints), 0)"
_FEW = 2_000


async def tree_cost(url: str, folder: Path, *, seconds: float, rounds: int, callers: int = 128) -> Cost:
    """What an integrator takes, as it runs beside an API, while a sequencer gives positions all the time."""
    key = os.urandom(32)
    sequencer = begun(sequence, url)
    try:
        return await cost_beside(
            url, lambda: begun(_integrate, url, folder, key), partial(_caught_up, url), callers=callers, seconds=seconds, rounds=rounds
        )
    finally:
        await ended(sequencer)


async def _caught_up(url: str) -> None:
    """Wait until nearly all is under a checkpoint: what was written while no integrator ran is no part of the cost."""
    connection = await asyncpg.connect(url)
    try:
        async with asyncio.timeout(_CAUGHT_UP_S):
            while await connection.fetchval(_BEHIND) > _FEW:
                await asyncio.sleep(0.1)
    finally:
        await connection.close()


def _integrate(url: str, folder: Path, key: bytes) -> None:
    give_way(BESIDE_THE_API)
    asyncio.run(_run(url, folder, key))


async def _run(url: str, folder: Path, key: bytes) -> None:
    links = Links(url, size=1)
    signer = await open_signer(links, Wrapping([master_key.of_bytes(key)]), "https://bench.example.org")
    await Integrator(url, signer, FolderPlace(folder / "second-place")).run(asyncio.Event())
