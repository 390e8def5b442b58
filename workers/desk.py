"""What an operator may do with read models, over a connection of its own each time. All raise StoreUnavailable."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import asyncpg

from adapters.postgres import AWAY, CONNECT_SECONDS
from adapters.postgres_connect import connect
from domain.errors import StoreUnavailable
from domain.ids import StreamName
from projections import generations
from projections.catalogue import ALL
from workers import parking, standing
from workers.parking import Unparked
from workers.rebuild import RebuildRefused, named
from workers.standing import ParkedStream, Standing

STATEMENT_SECONDS = 30.0


async def ensure(url: str) -> None:
    """Make the tables that are missing; `url` has to be the serving role's, who must own them. Safe to repeat."""
    async with _connected(url) as connection:
        await generations.ensure(connection, ALL)


async def status(url: str) -> Sequence[Standing]:
    async with _connected(url) as connection:
        return await standing.standings(connection)


async def parked(url: str, limit: int = 100) -> Sequence[ParkedStream]:
    async with _connected(url) as connection:
        return await standing.parked_streams(connection, limit)


async def switch(url: str, name: str, generation: int) -> None:
    """Let readers go to a generation that was built and not yet switched to. Raises RebuildRefused when it cannot serve."""
    async with _connected(url) as connection:
        if not await generations.switch(connection, named(name), generation):
            raise RebuildRefused(f"generation {generation} of {name} serves already, or is not there to serve")


async def back(url: str, name: str) -> int:
    """Return to the generation that served before, and give its number. Raises RebuildRefused when there is none."""
    async with _connected(url) as connection:
        number = await generations.switch_back(connection, named(name))
    if number is None:
        raise RebuildRefused(f"{name} has no generation to go back to")
    return number


async def unpark(url: str, name: str, stream: StreamName) -> Sequence[Unparked]:
    """Give a parked stream to its read model again; empty when it was not parked there. Raises RebuildRefused for an unknown name."""
    async with _connected(url) as connection:
        return await parking.unpark(connection, named(name), stream)


@asynccontextmanager
async def _connected(url: str) -> "AsyncGenerator[asyncpg.Connection[asyncpg.Record]]":
    try:
        connection = await connect(url, timeout=CONNECT_SECONDS, command_timeout=STATEMENT_SECONDS)
    except AWAY as error:
        raise StoreUnavailable from error
    try:
        yield connection
    except AWAY as error:
        raise StoreUnavailable from error
    finally:
        connection.terminate()
