"""The append function: locks, ids, batches, partitions."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256

import asyncpg
import pytest

from adapters.event_store import SQL, PostgresEventStore
from adapters.event_store_columns import columns
from adapters.postgres import StatementRefused
from adapters.store_metrics import NoMetrics, Retried
from commands.ports import AppendResult, StreamWrite
from tests.conftest import Database
from tests.store.commits import commit, event, stream, write

Connection = asyncpg.Connection
DONE, LOST = AppendResult.DONE, AppendResult.LOST_RACE
LAST_ID = "SELECT last_value FROM events_append_id_seq"


@pytest.fixture
async def owner(database: Database) -> AsyncIterator["Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(database.owner_url)
    yield connection
    await connection.close()


@pytest.fixture
async def app(database: Database) -> AsyncIterator["Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(database.app_url)
    yield connection
    await connection.close()


class Counted(NoMetrics):
    def __init__(self) -> None:
        self.why: list[Retried] = []

    def retried(self, why: Retried) -> None:
        self.why.append(why)


async def test_ids_are_not_kept_in_store_by_sessions(owner: "Connection[asyncpg.Record]") -> None:
    assert await owner.fetchval("SELECT seqcache FROM pg_sequence WHERE seqrelid = 'events_append_id_seq'::regclass") == 1


async def test_ids_are_drawn_after_locks(
    owner: "Connection[asyncpg.Record]", app: "Connection[asyncpg.Record]", postgres_store: PostgresEventStore
) -> None:
    name = stream()
    await postgres_store.append(commit(write(name, 0)))
    before = await owner.fetchval(LAST_ID)
    async with owner.transaction():
        await owner.execute("SELECT FROM heads WHERE stream = $1 FOR UPDATE", name)
        waiting = asyncio.create_task(app.fetchrow(SQL["append"], *columns([commit(write(name, 1))], wait=True)))
        while not await owner.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
            await asyncio.sleep(0.005)
        assert await owner.fetchval(LAST_ID) == before
    row = await waiting
    assert row is not None
    assert row["result"] == 0
    assert await owner.fetchval(LAST_ID) == before + 1


async def test_who_loses_draws_no_id(owner: "Connection[asyncpg.Record]", postgres_store: PostgresEventStore) -> None:
    name = stream()
    await postgres_store.append(commit(write(name, 0)))
    before = await owner.fetchval(LAST_ID)
    await asyncio.gather(*(postgres_store.append(commit(write(name, 0), write(stream(), 0))) for _ in range(20)))
    assert await owner.fetchval(LAST_ID) == before


async def test_within_a_stream_ids_rise_with_versions(postgres_store: PostgresEventStore) -> None:
    name = stream()
    for version in (0, 5, 10):
        await postgres_store.append(commit(write(name, version, events=5)))
    ids = [e.append_id for e in await postgres_store.read_stream(name)]
    assert ids == sorted(ids)


async def test_a_head_locked_elsewhere_holds_up_only_its_own_commit(owner: "Connection[asyncpg.Record]", database: Database) -> None:
    metrics = Counted()
    store = PostgresEventStore(database.app_url, metrics=metrics)
    held, free = stream(), stream()
    await asyncio.gather(store.append(commit(write(held, 0))), store.append(commit(write(free, 0))))
    async with owner.transaction():
        await owner.execute("SELECT FROM heads WHERE stream = $1 FOR UPDATE", held)
        waiting = asyncio.create_task(store.append(commit(write(held, 1))))
        results = [(await store.append(commit(write(free, n)))).result for n in range(1, 20)]
        assert results == [DONE] * 19
        assert not waiting.done()
    assert (await waiting).result is DONE
    assert metrics.why == ["busy"]
    await store.close()


async def test_two_processes_at_one_stream_give_each_version_once(database: Database) -> None:
    stores = [PostgresEventStore(database.app_url) for _ in range(3)]
    name, shared = stream(), [stream() for _ in range(5)]
    for version in range(15):
        made = [commit(write(name, version), *(write(s, version) for s in shared[n % 3 :])) for n in range(12)]
        results = await asyncio.gather(*(stores[n % 3].append(c) for n, c in enumerate(made)))
        assert sorted(r.result for r in results).count(DONE) == 1
        winner = made[[r.result for r in results].index(DONE)]
        for untouched in {*shared} - {w.stream for w in winner.writes}:
            await stores[0].append(commit(write(untouched, version)))
    assert [e.version for e in await stores[0].read_stream(name)] == list(range(1, 16))
    for store in stores:
        await store.close()


async def test_commits_that_cross_each_other_never_deadlock(database: Database) -> None:
    stores = [PostgresEventStore(database.app_url) for _ in range(2)]
    for _ in range(20):
        names = [stream() for _ in range(8)]
        made = [commit(*(write(n, 0) for n in (names if k % 2 else reversed(names)))) for k in range(8)]
        results = await asyncio.gather(*(stores[k % 2].append(c) for k, c in enumerate(made)))
        assert [r.result for r in results].count(DONE) == 1
    for store in stores:
        await store.close()


async def test_a_commit_the_database_refuses_spoils_no_other(database: Database) -> None:
    metrics = Counted()
    store = PostgresEventStore(database.app_url, metrics=metrics)
    await store.append(commit(write(stream(), 0)))
    good = [commit(write(stream(), 0)) for _ in range(20)]
    bad = commit(write(stream("x" * 90), 0))
    results = await asyncio.gather(*(store.append(c) for c in (*good, bad)), return_exceptions=True)
    assert [r.result for r in results[:-1] if not isinstance(r, BaseException)] == [DONE] * 20
    assert str(results[-1]) == "CheckViolationError 23514 by heads_stream_check"
    assert isinstance(results[-1], StatementRefused)
    assert results[-1].__suppress_context__, "the driver's error quotes the row"
    await store.close()


async def test_no_event_is_written_without_saying_anything(postgres_store: PostgresEventStore) -> None:
    empty = StreamWrite(stream=stream(), expected=0, events=(event(b""),), state=b"", state_version=1)
    with pytest.raises(StatementRefused, match="says_something"):
        await postgres_store.append(commit(empty))


async def test_appends_refuse_any_isolation_but_read_committed(app: "Connection[asyncpg.Record]") -> None:
    async with app.transaction(isolation="repeatable_read"):
        with pytest.raises(asyncpg.RaiseError, match="READ COMMITTED"):
            await app.fetch(SQL["append"], *columns([commit(write(stream(), 0))], wait=False))


async def test_partitions_stay_two_ahead_of_the_writers(
    owner: "Connection[asyncpg.Record]", app: "Connection[asyncpg.Record]", postgres_store: PostgresEventStore
) -> None:
    name = stream()
    assert await app.fetchval("SELECT ensure_partitions()") == 0
    await owner.execute("SELECT setval('events_append_id_seq', $1)", 2**24 - 2)
    await postgres_store.append(commit(write(name, 0, events=4)))
    assert await app.fetchval("SELECT ensure_partitions()") == 1
    assert await app.fetchval("SELECT ensure_partitions()") == 0
    parts = await owner.fetch("SELECT tableoid::regclass::text AS part, version FROM events ORDER BY append_id")
    assert [(r["part"], r["version"]) for r in parts] == [
        ("events_p000000", 1), ("events_p000001", 2), ("events_p000001", 3), ("events_p000001", 4),
    ]  # fmt: skip
    assert [e.version for e in await postgres_store.read_stream(name)] == [1, 2, 3, 4]


async def test_a_slot_is_the_first_byte_of_the_names_sha256(owner: "Connection[asyncpg.Record]") -> None:
    assert await owner.fetchval("SELECT stream_slot('user-1')") == sha256(b"user-1").digest()[0] % 64
    assert await owner.fetchval("SELECT count(DISTINCT stream_slot('user-' || n)) FROM generate_series(1, 2000) n") == 64
    odd = ["", "\\", "\\x41", "\\101", "\\\\", "role-\n", "role-ä☃", "user-'\"%"]
    rows = await owner.fetch("SELECT stream_slot(name) FROM unnest($1::text[]) WITH ORDINALITY o (name, n) ORDER BY n", odd)
    assert [row[0] for row in rows] == [sha256(name.encode()).digest()[0] % 64 for name in odd]


async def test_a_slot_is_reckoned_without_a_call_in_each_append(owner: "Connection[asyncpg.Record]") -> None:
    plan = await owner.fetch("EXPLAIN (VERBOSE) SELECT stream_slot(name) FROM (SELECT stream AS name FROM events) e")
    assert not any("stream_slot" in row[0] for row in plan), plan


async def test_people_can_read_payloads(app: "Connection[asyncpg.Record]", postgres_store: PostgresEventStore) -> None:
    await postgres_store.append(commit(write(stream(), 0)))
    (row,) = await app.fetch("SELECT position, payload ->> 'type' AS type FROM event_log")
    assert tuple(row) == (None, "test.happened.v1")
    await app.fetch("SELECT sequence_step()")
    assert await app.fetchval("SELECT position FROM event_log") == 1
