"""What is said to be complete up to a moment holds everything that was committed before it, whatever transactions do meanwhile."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import datetime
from typing import NamedTuple

import asyncpg
import pytest

from adapters.event_store import PostgresEventStore
from adapters.postgres import Connection
from domain.ids import StreamName
from tests.conftest import Database
from tests.store.commits import commit, stream, write
from tests.store.sequencing import append
from workers.sequencer import Sequencer


class Complete(NamedTuple):
    size: int
    epoch: int
    complete_to: datetime | None


async def complete(connection: Connection) -> Complete:
    row = await connection.fetchrow("SELECT size, epoch, complete_to FROM log_completeness()")
    assert row is not None
    return Complete(*row)


async def now(connection: Connection) -> datetime:
    at: datetime = await connection.fetchval("SELECT clock_timestamp()")
    return at


@pytest.fixture
async def app(database: Database) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(database.app_url)
    yield connection
    await connection.close()


async def test_an_idle_log_is_complete_up_to_now(app: Connection) -> None:
    before = await now(app)
    said = (await complete(app)).complete_to
    assert said is not None
    assert before < said < await now(app)


async def test_what_has_no_position_yet_holds_the_moment_back(
    database: Database, postgres_store: PostgresEventStore, app: Connection
) -> None:
    sequencer = Sequencer(database.app_url)
    await postgres_store.append(commit(write(stream(), 0)))
    await sequencer.step()
    between = await now(app)
    await postgres_store.append(commit(write(stream(), 0)))
    said = await complete(app)
    assert said.size == 1
    assert said.complete_to is not None
    assert said.complete_to < between
    await sequencer.step()
    said = await complete(app)
    assert said.size == 2
    assert said.complete_to is not None
    assert said.complete_to > between
    await sequencer.close()


async def test_a_transaction_left_open_holds_nothing_back(database: Database, app: Connection) -> None:
    dawdler = await asyncpg.connect(database.app_url)
    async with dawdler.transaction():
        assert await append(dawdler, commit(write(stream(), 0)))
        before = await now(app)
        said = (await complete(app)).complete_to
        assert said is not None
        assert said > before
    assert (await complete(app)).size == 0
    await dawdler.close()


async def test_a_log_of_another_cluster_is_complete_up_to_nothing(database: Database, app: Connection) -> None:
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute("UPDATE log_head SET cluster = cluster + 1")
    assert (await complete(app)).complete_to is None
    await owner.close()


async def test_nothing_committed_before_the_moment_lacks_a_position(database: Database, app: Connection) -> None:
    sequencer, connections = Sequencer(database.app_url), [await asyncpg.connect(database.app_url) for _ in range(6)]
    committed: dict[StreamName, datetime] = {}
    looks: list[Complete] = []
    chance, stop = random.Random(7), asyncio.Event()

    async def write_at_leisure(connection: Connection) -> None:
        for _ in range(25):
            name = stream()
            async with connection.transaction():
                await append(connection, commit(write(name, 0)))
                await asyncio.sleep(chance.random() / 100)
            committed[name] = await now(connection)

    async def keep_sequencing() -> None:
        while not stop.is_set():
            await sequencer.step()
            await asyncio.sleep(chance.random() / 200)

    async def keep_looking() -> None:
        while not stop.is_set():
            looks.append(await complete(app))

    working = [asyncio.create_task(keep_sequencing()), asyncio.create_task(keep_looking())]
    await asyncio.gather(*(write_at_leisure(connection) for connection in connections))
    stop.set()
    await asyncio.gather(*working)
    await sequencer.step()
    positions: dict[StreamName, int] = {row["stream"]: row["position"] for row in await app.fetch("SELECT stream, position FROM event_log")}
    moments = {look.complete_to for look in looks}
    assert len(moments) > 50
    for look in looks:
        assert look.complete_to is not None
        assert all(positions[name] <= look.size for name, at in committed.items() if at < look.complete_to)
    await sequencer.close()
    for connection in connections:
        await connection.close()
