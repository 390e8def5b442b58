"""Payloads of activity go when their time is over; the log's order, its proofs and its read models stay as they were."""

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest

from adapters.event_store import PostgresEventStore
from adapters.leaves import leaf_bytes
from commands.transact import folded
from domain import log, session, session_state
from domain.codec import decode_event
from domain.log import LogPruned
from domain.retention import ACTIVITY, overtaken
from domain.session_events import SessionRebased
from domain.tree.hashing import leaf_hash
from projections.audit_events import audit_events
from projections.past.signed_in import signed_in
from projections.sessions import sessions
from projections.user_history import user_history
from tests.projections.histories import issued, now
from tests.retention.conftest import LONG_AGO, Retention, soon
from tests.store.commits import commit, stream, write
from workers.reaper import Reaper
from workers.rebuild import rebuild
from workers.retention.finding import NotAsHashed
from workers.retention.partitions import RetentionRefused, partitions
from workers.retention.pruning import Pruner

READS_ACTIVITY = (sessions, signed_in, audit_events, user_history)
GOING = 243
"""Of the whole log below: the refreshes in its first and only full tile that another one overtook."""


async def reap(retention: Retention) -> None:
    reaper = Reaper(retention.database.app_url)
    await reaper.step()
    await reaper.close()


async def test_overtaken_refreshes_of_ended_sessions_lose_their_payload_and_nothing_else(retention: Retention) -> None:
    await retention.whole_log()
    before = await retention.log()
    (kept,) = await retention.run()
    after = (await retention.log())[: len(before)]
    assert [(a.position, a.append_id, a.event_id, a.stream, a.version, a.type, a.recorded_at, a.actor, a.command_id) for a in after] == [
        (b.position, b.append_id, b.event_id, b.stream, b.version, b.type, b.recorded_at, b.actor, b.command_id) for b in before
    ]
    assert all(a.payload == b.payload for b, a in zip(before, after, strict=True) if not a.pruned)
    gone = {(a.stream, a.version) for a in after if a.pruned}
    of_streams = {a.stream: [(b.version, b.type) for b in before if b.stream == a.stream] for a in after}
    provable = {(b.stream, b.version) for b in before[:256]}
    alive = {before[-1].stream}
    assert gone == {(s, v) for s, events in of_streams.items() if s not in alive for v in overtaken(events)} & provable
    assert (kept.partition, kept.pruned, len(gone)) == (0, GOING, GOING)


async def test_what_went_is_told_in_the_log(retention: Retention) -> None:
    await retention.whole_log()
    await retention.run()
    await retention.world.project()
    told = [decode_event(e.type, e.payload) for e in await retention.log() if e.stream == log.STREAM]
    assert isinstance(told[-1], LogPruned)
    assert (told[-1].partition, told[-1].first_position, told[-1].last_position, told[-1].count) == (0, 1, 310, GOING)


async def test_the_tree_still_proves_every_event_that_is_left_and_that_the_others_were(retention: Retention) -> None:
    await retention.whole_log()
    before = await retention.log()
    await retention.run()
    hashes = await retention.owner.fetchval("SELECT hashes FROM log_tiles WHERE level = 0 AND tile = 0")
    for b, a in zip(before[:256], await retention.log(), strict=False):
        assert hashes[(a.position or 0) * 32 - 32 : (a.position or 0) * 32] == leaf_hash(leaf_bytes(b if a.pruned else a))


async def test_states_and_read_models_come_out_the_same_live_and_rebuilt(retention: Retention) -> None:
    ended = await retention.whole_log()
    store = PostgresEventStore(retention.database.app_url)
    heads = (await store.load([session.stream(each) for each in ended])).heads
    states = [await folded(store, head, session.decider) for head in heads]
    assert all(isinstance(state, session_state.Ended) for state in states)
    table = (await retention.world.models.generation(sessions)).table
    rows = await retention.world.dump(table)
    await retention.run()
    await retention.world.project()
    await reap(retention)
    assert [await folded(store, head, session.decider) for head in heads] == states
    assert await retention.world.dump(table) == rows
    for projection in READS_ACTIVITY:
        live = await retention.world.dump((await retention.world.models.generation(projection)).table)
        built = await rebuild(retention.database.app_url, projection.name, switch=False)
        assert await retention.world.dump(f"read.{projection.name}_v{projection.fold_version}_g{built.generation}") == live
    await store.close()


async def test_journals_lose_the_rows_of_what_went_and_one_that_is_being_built_once_more_when_it_is(retention: Retention) -> None:
    await retention.whole_log()
    await retention.run()
    gone = {event.position for event in await retention.log() if event.pruned}
    table = (await retention.world.models.generation(audit_events)).table
    assert gone <= {row["position"] for row in await retention.world.dump(table)}
    await retention.owner.execute("UPDATE projection_state SET status = 'building' WHERE name = 'audit_events'")
    await reap(retention)
    assert not await retention.owner.fetchval("SELECT journals_clean FROM log_partitions")
    await retention.owner.execute("UPDATE projection_state SET status = 'live' WHERE name = 'audit_events'")
    await reap(retention)
    assert await retention.owner.fetchval("SELECT journals_clean FROM log_partitions")
    assert not gone & {row["position"] for row in await retention.world.dump(table)}


async def test_a_dry_run_says_what_would_go_and_changes_nothing(retention: Retention) -> None:
    await retention.whole_log()
    before = await retention.log()
    (kept,) = await retention.run(dry=True)
    assert kept.pruned == GOING
    assert await retention.log() == before


async def test_what_is_young_stays_and_so_does_what_a_session_says_that_lives(retention: Retention) -> None:
    for _ in range(5):
        await retention.live_session()
    await retention.hash()
    await retention.run(close_before=soon(), over_before=LONG_AGO)
    assert await retention.run(over_before=datetime.now(UTC)) == []
    assert await retention.run() == []
    assert not any(event.pruned for event in await retention.log())
    assert await retention.owner.fetchval("SELECT to_regclass('events_p000000_next')") is None


async def test_a_refresh_before_a_rebase_stays(retention: Retention) -> None:
    session_id, user_id = await retention.live_session(2)
    name = session.stream(session_id)
    await retention.world.scribe.write(
        name, SessionRebased(session_id=session_id, user_id=user_id, token_epoch=2, at=now()), issued(session_id, user_id, 3)
    )
    await retention.world.scribe.write(name, issued(session_id, user_id, 4), issued(session_id, user_id, 5))
    await retention.whole_log()
    await retention.owner.execute("UPDATE heads SET state_version = 0 WHERE stream = $1", name)
    await retention.run(over_before=datetime(2200, 1, 1, tzinfo=UTC))
    assert [event.version for event in await retention.log() if event.stream == name and event.pruned] == [2, 5, 6]


async def test_a_forged_event_is_not_pruned_away(retention: Retention) -> None:
    await retention.whole_log()
    superuser = await asyncpg.connect(retention.database.superuser_url)
    await superuser.execute("SET session_replication_role = replica")
    await superuser.execute("UPDATE events SET actor = 'user:somebody else' WHERE append_id = 20")
    await superuser.close()
    with pytest.raises(NotAsHashed, match="at position 20"):
        await retention.run()
    assert not any(event.pruned for event in await retention.log())


async def test_a_reader_that_is_behind_is_waited_for(retention: Retention) -> None:
    await retention.whole_log()
    await retention.owner.execute("UPDATE projection_state SET position = 100 WHERE name = 'audit_events'")
    with pytest.raises(RetentionRefused, match="a reader of the log is at 100"):
        await retention.run()


async def test_two_runs_at_once_are_refused(retention: Retention) -> None:
    from workers.retention.partitions import take_turn

    await take_turn(retention.owner)
    with pytest.raises(RetentionRefused, match="another"):
        await retention.run()


async def test_the_serving_role_keeps_nothing_small(retention: Retention) -> None:
    from workers.retention.keeping import keep_small

    with pytest.raises(RetentionRefused, match="MINOS_MIGRATION_DATABASE_URL"):
        await keep_small(retention.database.app_url, close_before=soon(), over_before=soon())


async def test_a_storm_of_appends_during_the_swap_fails_nowhere_and_loses_nothing(retention: Retention) -> None:
    await retention.whole_log()
    stores = [PostgresEventStore(retention.database.app_url) for _ in range(3)]
    stop, written = asyncio.Event(), 0

    async def storm(store: PostgresEventStore) -> None:
        nonlocal written
        while not stop.is_set():
            await store.append(commit(write(stream(), 0)))
            written += 1

    async def read() -> None:
        while not stop.is_set():
            await retention.world.sequencer.step()
            assert len(await retention.log()) >= 310

    busy = [asyncio.create_task(storm(store)) for store in stores for _ in range(4)] + [asyncio.create_task(read())]
    before = len(await retention.log())
    (kept,) = await retention.run()
    written_by_then = written
    await asyncio.sleep(0.1)
    stop.set()
    await asyncio.gather(*busy, *(store.close() for store in stores))
    await retention.world.sequencer.step()
    assert kept.pruned == GOING
    assert written > written_by_then
    assert len(await retention.log()) == before + written + 1


SLOW = """
import asyncio, sys
from datetime import UTC, datetime, timedelta
import asyncpg
from adapters.event_store import PostgresEventStore
from workers.retention.partitions import one
from workers.retention.pruning import Pruner

async def main(url):
    connection = await asyncpg.connect(url)
    soon = datetime.now(UTC) + timedelta(days=1)
    tell = lambda advance: print(advance.done, flush=True)
    pruner = Pruner(connection, PostgresEventStore(url), over_before=soon, progress=tell, rows=10)
    await pruner.prune(await one(connection, 0))

asyncio.run(main(sys.argv[1]))
"""


async def test_killed_in_the_middle_the_next_run_goes_on_where_it_was(retention: Retention) -> None:
    await retention.whole_log()
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SLOW, retention.database.owner_url, stdout=asyncio.subprocess.PIPE, env=os.environ | {"PYTHONPATH": "."}
    )
    assert child.stdout is not None
    for _ in range(5):
        assert await asyncio.wait_for(child.stdout.readline(), 20)
    child.send_signal(signal.SIGKILL)
    await child.wait()
    copied = await retention.owner.fetchval("SELECT count(*) FROM events_p000000_next")
    assert 50 <= copied < 310
    assert not any(event.pruned for event in await retention.log())
    (kept,) = await retention.run()
    assert kept.pruned == GOING
    assert sum(event.pruned for event in await retention.log()) == GOING
    assert await retention.owner.fetchval("SELECT to_regclass('events_p000000_next')") is None


async def test_a_copy_that_differs_never_takes_the_place(retention: Retention) -> None:
    await retention.whole_log()
    store = PostgresEventStore(retention.database.owner_url)
    (partition, *_) = await partitions(retention.owner)
    pruner = Pruner(retention.owner, store, over_before=soon())
    await pruner._copy(partition)
    await retention.owner.execute("UPDATE events_p000000_next SET event_id = $1 WHERE append_id = 7", uuid4())
    before = await retention.log()
    with pytest.raises(RetentionRefused, match="differed in 1 rows"):
        await pruner.prune(partition)
    assert await retention.log() == before
    await store.close()


async def test_only_activity_can_be_without_a_payload(retention: Retention) -> None:
    await retention.whole_log()
    await retention.run()
    check = await retention.owner.fetchval(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'says_something' AND conrelid = 'events_p000000'::regclass"
    )
    assert all(tag in check for tag in ACTIVITY)
    with pytest.raises(asyncpg.PostgresError):
        await retention.owner.execute("UPDATE events SET payload = '' WHERE append_id = 1")
