"""Connections that break and servers that die: what was acknowledged is there, and what is unknown is found out."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from adapters.embedded_postgres import PostgresServer
from adapters.event_store import PostgresEventStore
from adapters.log_reader import LogReader
from adapters.store_metrics import NoMetrics, Retried
from commands.ports import Appended, AppendResult, Commit, StoredEvent
from domain.errors import StoreUnavailable
from tests.conftest import Database, database_of
from tests.store.commits import commit, holder_of, idempotency, mac, stream, take, write
from tests.store.cut_wire import Cut, Wire
from workers.sequencer import Sequencer

DONE = AppendResult.DONE


class Counted(NoMetrics):
    def __init__(self) -> None:
        self.why: list[Retried] = []

    def retried(self, why: Retried) -> None:
        self.why.append(why)


@pytest.fixture
async def wire(database: Database) -> AsyncIterator[Wire]:
    with tempfile.TemporaryDirectory(prefix="minos-wire-") as folder:
        wire = Wire(database.app_url, Path(folder))
        await wire.open()
        yield wire
        await wire.close()


@pytest.mark.parametrize("lost", ["request lost", "answer lost"])
async def test_an_append_whose_wire_is_cut_happens_once_and_says_so(wire: Wire, lost: Cut) -> None:
    metrics = Counted()
    store = PostgresEventStore(wire.url, append_lanes=1, metrics=metrics)
    await store.append(commit(write(stream(), 0)))
    wire.cut(lost)
    owner, name, key = stream("claim"), mac(), idempotency()
    results = await asyncio.gather(
        store.append(commit(write(owner, 0, events=2), claims=(take(name, owner),), idempotency=key)),
        store.append(commit(write(stream(), 0), write(stream(), 0))),
    )
    assert [r.result for r in results] == [DONE, DONE]
    assert metrics.why == ["unknown", "unknown"]
    assert [e.version for e in await store.read_stream(owner)] == [1, 2]
    assert (await store.find_holder([name])).holder == holder_of(owner)
    await store.close()


@pytest.mark.parametrize("lost", ["request lost", "answer lost"])
async def test_an_append_that_lost_hears_so_over_a_cut_wire_too(wire: Wire, lost: Cut) -> None:
    store = PostgresEventStore(wire.url, append_lanes=1)
    name = stream()
    await store.append(commit(write(name, 0)))
    wire.cut(lost)
    assert (await store.append(commit(write(name, 0)))).result is AppendResult.LOST_RACE
    await store.close()


async def test_a_repeat_hears_the_first_answer_over_a_cut_wire_too(wire: Wire) -> None:
    store = PostgresEventStore(wire.url, append_lanes=1)
    key = idempotency(outcome=b"first")
    await store.append(commit(write(stream(), 0), idempotency=key))
    wire.cut("answer lost")
    again = await store.append(commit(write(stream(), 0), idempotency=key))
    assert (again.result, again.outcome) == (AppendResult.REPLAYED, b"first")
    await store.close()


@pytest.mark.parametrize("lost", ["request lost", "answer lost"])
async def test_a_read_over_a_dead_connection_is_made_again(wire: Wire, lost: Cut) -> None:
    store = PostgresEventStore(wire.url)
    name = stream()
    await store.append(commit(write(name, 0)))
    await store.load([name])
    wire.cut(lost)
    assert (await store.load([name])).heads[0].version == 1
    await store.close()


async def test_without_postgres_everything_is_refused_at_once(database: Database) -> None:
    store = PostgresEventStore(database.app_url.replace("?host=", "?host=/nowhere"))
    for call in (store.append(commit(write(stream(), 0))), store.load([stream()]), store.find_holder([mac()])):
        async with asyncio.timeout(1):
            with pytest.raises(StoreUnavailable):
                await call
    await store.close()


async def test_a_caller_who_gives_up_disturbs_nobody(database: Database) -> None:
    store = PostgresEventStore(database.app_url)
    name = stream()
    tasks = [asyncio.create_task(store.append(commit(write(stream(), 0)))) for _ in range(50)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [r.result for r in results if isinstance(r, Appended)] == [DONE] * 25
    assert (await store.append(commit(write(name, 0)))).result is DONE
    await store.close()


async def test_a_killed_server_has_lost_nothing_that_was_acknowledged(durable_server: PostgresServer) -> None:
    urls = database_of(durable_server)
    store, stop = PostgresEventStore(urls.app_url), asyncio.Event()
    sequencer = Sequencer(urls.app_url)
    sequencing = asyncio.create_task(sequencer.run(stop))
    done: list[Commit] = []

    async def write_on() -> None:
        name, version = stream(), 0
        while not stop.is_set():
            made = commit(write(name, version), write(stream(), 0))
            try:
                result = (await store.append(made)).result
            except StoreUnavailable:
                name, version = stream(), 0
                await asyncio.sleep(0.02)
                continue
            assert result is DONE, "nobody else writes to this stream"
            done.append(made)
            version += 1

    writers = [asyncio.create_task(write_on()) for _ in range(24)]
    for _ in range(3):
        await asyncio.sleep(0.4)
        await durable_server.kill()
        await asyncio.sleep(0.1)
        await durable_server.start()
        before = len(done)
        async with asyncio.timeout(15):
            while len(done) < before + 50:
                await asyncio.sleep(0.02)
    stop.set()
    await asyncio.gather(*writers)
    await sequencing
    await sequencer.step()
    await sequencer.close()
    await agrees(urls, done)
    await store.close()


async def agrees(urls: Database, done: list[Commit]) -> None:
    """Everything acknowledged is there, whole and sequenced; nothing is there in part."""
    reader, connection = LogReader(urls.app_url), await asyncpg.connect(urls.app_url)
    size = (await reader.size()).size
    events: list[StoredEvent] = []
    through = 0
    while through < size:
        page = await reader.read(through, 5000)
        events.extend(page.events)
        through = page.through
    there = {e.event_id for e in events}
    assert {e.event_id for made in done for w in made.writes for e in w.events} <= there
    halves = await connection.fetchval("SELECT count(*) FROM (SELECT FROM events GROUP BY command_id HAVING count(*) <> 2) AS c")
    assert halves == 0
    assert await connection.fetchval("SELECT count(*) FROM events") == size
    wrong = """
        SELECT count(*) FROM heads h
        WHERE h.version <> (SELECT max(e.version) FROM events e WHERE e.stream = h.stream)
           OR h.version <> (SELECT count(*) FROM events e WHERE e.stream = h.stream)"""
    assert await connection.fetchval(wrong) == 0
    await connection.close()
    await reader.close()
