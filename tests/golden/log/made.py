"""Read models made of a stored log, live and by a rebuild, as digests."""

import random
from collections.abc import Sequence

import asyncpg

from projections.catalogue import ALL
from projections.projection import Projection
from tests.conftest import Database
from tests.golden.log.stored import StoredRow, digest_of, load
from workers.projector import Projector
from workers.rebuild import rebuild
from workers.sequencer import Sequencer


def key_of(projection: Projection) -> str:
    return f"{projection.name}_v{projection.fold_version}"


async def made_live(database: Database, rows: Sequence[StoredRow], chance: random.Random) -> dict[str, str]:
    """Let the log come in pieces of random length, each followed by some steps of the projector."""
    owner = await asyncpg.connect(database.owner_url)
    sequencer, projector = Sequencer(database.app_url), Projector(database.app_url)
    try:
        await projector.begin()
        left = list(rows)
        while left:
            piece = chance.randint(1, 90)
            await load(owner, left[:piece])
            left = left[piece:]
            await sequencer.step()
            for _ in range(chance.randint(0, 2) if left else 1_000):
                if not await projector.step():
                    break
        return await _digests(database, 1)
    finally:
        await owner.close()
        await projector.close()
        await sequencer.close()


async def made_anew(database: Database) -> dict[str, str]:
    for projection in ALL:
        await rebuild(database.app_url, projection.name, switch=False)
    return await _digests(database, 2)


async def _digests(database: Database, generation: int) -> dict[str, str]:
    connection = await asyncpg.connect(database.app_url)
    try:
        return {key_of(each): await digest_of(connection, f"read.{key_of(each)}_g{generation}") for each in ALL}
    finally:
        await connection.close()
