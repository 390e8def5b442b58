"""The tables of read models: one per generation, and which one serves.

A table is named after its projection, the version of the fold that fills it and its generation: `read.users_v1_g3`.
Readers go to the active generation if its fold is theirs, else to the newest that has it, so an old and a new
program can serve beside each other while a new fold takes over.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import TypeAlias

import asyncpg
from msgspec import Struct

from projections.projection import Projection
from projections.sql import beside

_SQL = beside(__file__)

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
Fetch: TypeAlias = Callable[..., Awaitable[Sequence[asyncpg.Record]]]
"""Of a connection or a pool: takes a statement and its arguments, and gives the rows."""


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
                await make_indexes(connection, projection, generation)
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


async def serving(fetch: Fetch, projections: Collection[Projection]) -> tuple[Sequence[str], Sequence[int]]:
    """Give the names that have a generation for our folds, and the number of the one that queries go to. What another release reads
    from, and perhaps nobody fills any more, is not among them."""
    rows = await fetch(_SQL["serving"], [each.name for each in projections], [each.fold_version for each in projections])
    return [row["name"] for row in rows], [row["version"] for row in rows]


async def fed(connection: Connection, projection: Projection) -> Sequence[Generation]:
    """Give every generation of this fold that is kept up to date, in service or not."""
    rows = await connection.fetch(_SQL["fed"], projection.name, projection.fold_version)
    return [Generation(projection.name, projection.fold_version, row["version"]) for row in rows]


async def switch(connection: Connection, projection: Projection, number: int) -> bool:
    """Let readers go to this generation from now on, and drop older ones but the one before. False when it cannot serve."""
    async with connection.transaction():
        await connection.execute(_SQL["take_turns"])
        switched = await connection.fetchval(_SQL["switch"], projection.name, number)
        if switched is None:
            return False
        for row in await connection.fetch(_SQL["outlived"], projection.name):
            await drop(connection, projection, row["version"])
        return True


async def switch_back(connection: Connection, projection: Projection) -> int | None:
    """Return to the generation that served before, which was kept up to date. None when there is none."""
    number: int | None = await connection.fetchval(_SQL["switch_back"], projection.name)
    return number


async def drop(connection: Connection, projection: Projection, number: int) -> None:
    """Remove a generation and all that is known of it, whatever fold made it. Call it in a transaction."""
    # The state first: a projector locks it before it touches the table, and two orders would be a deadlock.
    await connection.execute(_SQL["forget_state"], projection.name, number)
    await connection.execute(_SQL["forget_parked"], projection.name, number)
    for row in await connection.fetch(_SQL["tables"], projection.name, str(number)):
        await connection.execute(f"DROP TABLE IF EXISTS read.{row['relname']}")


async def drop_abandoned(connection: Connection, projection: Projection, *, untouched_s: int) -> None:
    """Remove what rebuilds left that died on the way: unfinished and not written to for so long."""
    async with connection.transaction():
        await connection.execute(_SQL["take_turns"])
        for row in await connection.fetch(_SQL["abandoned"], projection.name, untouched_s):
            await drop(connection, projection, row["version"])


async def begin_building(connection: Connection, projection: Projection) -> Generation | None:
    """Make the next generation to be filled, unless somebody is filling one: then None."""
    async with connection.transaction():
        await connection.execute(_SQL["take_turns"])
        if await connection.fetchval(_SQL["being_built"], projection.name):
            return None
        return await begin(connection, projection, status="building")


async def still_building(connection: Connection, generation: Generation) -> bool:
    """Say that the building goes on. False when somebody took it for abandoned and removed it."""
    return await connection.fetchval(_SQL["built_up_to"], generation.projection, generation.number) is not None


async def finish(connection: Connection, projection: Projection, generation: Generation, *, position: int, epoch: int) -> bool:
    """Index a filled table and hand it to the projectors, in one transaction. False when it was removed meanwhile."""
    async with connection.transaction():
        await connection.execute(_SQL["without_time_limit"])
        await make_indexes(connection, projection, generation)
        live = await connection.fetchval(_SQL["goes_live"], generation.projection, generation.number, position, epoch)
        return live is not None


async def make_indexes(connection: Connection, projection: Projection, generation: Generation) -> None:
    name = generation.table.removeprefix("read.")
    await connection.execute(projection.sql["index"].format(table=generation.table, name=name))
