"""Positions: contiguous, in stream order, in causal order, whatever transactions do meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from time import perf_counter

import asyncpg
import pytest

from adapters.event_store import PostgresEventStore
from adapters.log_reader import LogReader
from commands.ports import AppendResult
from domain.ids import StreamName
from tests.conftest import Database
from tests.store.commits import commit, stream, write
from tests.store.sequencing import append, sequenced
from workers.sequencer import ForeignLog, Sequencer, Step


@pytest.fixture
async def reader(database: Database) -> AsyncIterator[LogReader]:
    reader = LogReader(database.app_url)
    yield reader
    await reader.close()


@pytest.fixture
async def sequencer(database: Database) -> AsyncIterator[Sequencer]:
    sequencer = Sequencer(database.app_url)
    yield sequencer
    await sequencer.close()


async def test_a_transaction_left_open_delays_only_its_own_events(
    database: Database, postgres_store: PostgresEventStore, sequencer: Sequencer
) -> None:
    dawdler = await asyncpg.connect(database.app_url)
    async with dawdler.transaction():
        assert await append(dawdler, commit(write(stream(), 0)))
        for n in range(1, 6):
            await postgres_store.append(commit(write(stream(), 0)))
            step = await sequencer.step()
            assert step is not None
            assert (step.added, step.size) == (1, n)
    step = await sequencer.step()
    assert step is not None
    assert (step.added, step.size) == (1, 6)
    await dawdler.close()


async def test_a_second_sequencer_stands_by(database: Database, postgres_store: PostgresEventStore, sequencer: Sequencer) -> None:
    await postgres_store.append(commit(write(stream(), 0)))
    first = await asyncpg.connect(database.app_url)
    async with first.transaction():
        assert await first.fetchval("SELECT added FROM sequence_step()") == 1
        assert await sequencer.step() is None
    step = await sequencer.step()
    assert step is not None
    assert (step.added, step.size) == (0, 1)
    await first.close()


async def test_a_step_that_was_rolled_back_is_made_again(
    database: Database, postgres_store: PostgresEventStore, sequencer: Sequencer
) -> None:
    await postgres_store.append(commit(write(stream(), 0)))
    killed = await asyncpg.connect(database.app_url)
    transaction = killed.transaction()
    await transaction.start()
    assert await killed.fetchval("SELECT added FROM sequence_step()") == 1
    await transaction.rollback()
    step = await sequencer.step()
    assert step is not None
    assert (step.added, step.size) == (1, 1)
    await killed.close()


async def test_an_idle_log_is_not_written_to(database: Database, sequencer: Sequencer) -> None:
    superuser = await asyncpg.connect(database.superuser_url)
    await sequencer.step()
    before = await superuser.fetchval("SELECT xmin::text || ctid::text FROM log_head")
    for _ in range(5):
        await sequencer.step()
    assert await superuser.fetchval("SELECT xmin::text || ctid::text FROM log_head") == before
    await superuser.close()


async def test_neighbouring_runs_are_one(database: Database, postgres_store: PostgresEventStore, sequencer: Sequencer) -> None:
    for _ in range(20):
        await postgres_store.append(commit(write(stream(), 0)))
        await sequencer.step()
    connection = await asyncpg.connect(database.app_url)
    assert [tuple(row) for row in await connection.fetch("SELECT position_start, n FROM log_runs")] == [(1, 20)]
    await connection.close()


async def test_a_hint_wakes_an_idle_sequencer_at_once(database: Database, postgres_store: PostgresEventStore) -> None:
    steps: list[Step] = []
    stop, arrived = asyncio.Event(), asyncio.Event()

    def observe(step: Step) -> None:
        if step.added:
            steps.append(step)
            arrived.set()

    sequencer = Sequencer(database.app_url, observe=observe)
    running = asyncio.create_task(sequencer.run(stop))
    waits: list[float] = []
    for _ in range(5):
        await asyncio.sleep(0.3)
        arrived.clear()
        await postgres_store.append(commit(write(stream(), 0)))
        began = perf_counter()
        sequencer.hint.set()
        await asyncio.wait_for(arrived.wait(), 1)
        waits.append(perf_counter() - began)
    stop.set()
    await running
    assert sorted(waits)[2] < 0.05
    assert [s.size for s in steps] == [1, 2, 3, 4, 5]


async def test_a_snapshot_of_another_cluster_stops_the_sequencer(
    database: Database, postgres_store: PostgresEventStore, sequencer: Sequencer
) -> None:
    await postgres_store.append(commit(write(stream(), 0)))
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute("UPDATE log_head SET cluster = cluster + 1")
    with pytest.raises(ForeignLog):
        await sequencer.step()
    await owner.execute("UPDATE log_head SET cluster = cluster - 1, snapshot = '900000000000:900000000000:'")
    with pytest.raises(ForeignLog):
        await sequencer.step()
    await owner.close()


async def test_sequencing_refuses_any_isolation_but_read_committed(database: Database) -> None:
    connection = await asyncpg.connect(database.app_url)
    async with connection.transaction(isolation="repeatable_read"):
        with pytest.raises(asyncpg.RaiseError, match="READ COMMITTED"):
            await connection.fetch("SELECT sequence_step()")
    await connection.close()


async def test_what_commits_just_after_the_snapshot_waits_for_the_next(database: Database) -> None:
    owner, writer = await asyncpg.connect(database.owner_url), await asyncpg.connect(database.app_url)
    since = await owner.fetchval("SELECT pg_current_snapshot()::text")
    async with writer.transaction():
        assert await append(writer, commit(write(stream(), 0)))
        await owner.execute("SELECT pg_current_xact_id()")
        seen = await owner.fetchval("SELECT pg_current_snapshot()::text")
    later = await owner.fetchval("SELECT pg_current_snapshot()::text")
    between = "SELECT count(*) FROM committed_between($1::text::pg_snapshot, $2::text::pg_snapshot, 0)"
    assert [await owner.fetchval(between, *pair) for pair in ((since, seen), (seen, later), (since, later))] == [0, 1, 1]
    await owner.close()
    await writer.close()


async def test_at_full_speed_every_event_gets_one_position(database: Database) -> None:
    stores = [PostgresEventStore(database.app_url) for _ in range(2)]
    sequencers = [Sequencer(database.app_url) for _ in range(2)]
    until = perf_counter() + 2.0

    async def write_on(store: PostgresEventStore) -> int:
        name, version = stream(), 0
        while perf_counter() < until:
            await store.append(commit(write(name, version)))
            version += 1
        return version

    async def step_on(sequencer: Sequencer) -> None:
        while perf_counter() < until:
            await sequencer.step()

    stepping = [asyncio.create_task(step_on(s)) for s in sequencers]
    written = sum(await asyncio.gather(*(write_on(stores[n % 2]) for n in range(24))))
    await asyncio.gather(*stepping)
    await sequencers[0].step()
    reader = LogReader(database.app_url)
    events = (await reader.read(0, 1_000_000)).events
    assert len({e.event_id for e in events}) == len(events) == written
    versions: dict[StreamName, int] = {}
    for event in events:
        assert event.version == versions.get(event.stream, 0) + 1
        versions[event.stream] = event.version
    await asyncio.gather(reader.close(), *(s.close() for s in stores), *(s.close() for s in sequencers))


async def test_commits_get_their_positions_soon_at_1000_a_second(database: Database, postgres_store: PostgresEventStore) -> None:
    stop, reader = asyncio.Event(), LogReader(database.app_url)
    sequencer = Sequencer(database.app_url)
    running = asyncio.create_task(sequencer.run(stop))
    began, made = perf_counter(), 500
    async with asyncio.TaskGroup() as group:
        tasks = []
        for n in range(made):
            await asyncio.sleep(max(0.0, began + n / 1000 - perf_counter()))
            tasks.append(group.create_task(postgres_store.append(commit(write(stream(), 0)))))
    assert {t.result().result for t in tasks} == {AppendResult.DONE}
    await sequenced(reader, made)
    assert perf_counter() - began < made / 1000 + 10.0
    stop.set()
    await running
    await reader.close()
