"""The tables of read models: one per generation, and which one serves.

A table is named after its projection, the version of the fold that fills it and its generation: `read.users_v1_g3`.
Readers go to the active generation if its fold is theirs, else to the newest that has it, so an old and a new
program can serve beside each other while a new fold takes over.
"""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import asyncpg
from msgspec import Struct

from projections.projection import Projection
from projections.sql import beside

_SQL = beside(__file__)

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"


class Generation(Struct, frozen=True):
    """One table of one projection."""

    projection: str
    fold_version: int
    number: int

    @property
    def table(self) -> str:
        """Made of our own names and numbers only, so it may stand in a statement."""
        return f"read.{self.projection}_v{self.fold_version}_g{self.number}"


async def ensure(connection: Connection, projections: Iterable[Projection]) -> None:
    """Make the first generation of every read model that has none yet for its fold. Safe to repeat, also from several programs."""
    async with connection.transaction():
        await connection.execute(_SQL["take_turns"])
        for projection in projections:
            if await served(connection, projection) is None:
                generation = await begin(connection, projection, status="live")
                await connection.execute(
                    projection.sql["index"].format(table=generation.table, name=generation.table.removeprefix("read."))
                )
                await connection.execute(_SQL["activate_first"], projection.name, generation.number)


async def begin(connection: Connection, projection: Projection, *, status: str) -> Generation:
    """Make an empty table, without its secondary indexes, and the row that says how far it is. Call it in a transaction."""
    number: int = await connection.fetchval(_SQL["next_number"], projection.name)
    generation = Generation(projection.name, projection.fold_version, number)
    await connection.execute(projection.sql["create"].format(table=generation.table))
    await connection.execute(_SQL["begin"], projection.name, number, status)
    return generation


async def served(connection: Connection, projection: Projection) -> Generation | None:
    """Give the generation that queries of this fold go to now."""
    number = await connection.fetchval(_SQL["served"], projection.name, projection.fold_version)
    return None if number is None else Generation(projection.name, projection.fold_version, number)


async def fed(connection: Connection, projection: Projection) -> Sequence[Generation]:
    """Give every generation of this fold that is kept up to date, in service or not."""
    rows = await connection.fetch(_SQL["fed"], projection.name, projection.fold_version)
    return [Generation(projection.name, projection.fold_version, row["version"]) for row in rows]
