"""A partition that is written no more is sealed: nobody writes it, and no sequencer looks at it."""

import asyncio

import asyncpg
import pytest

from domain import log
from domain.codec import decode_event
from domain.log import PartitionSealed
from tests.retention.conftest import LONG_AGO, Retention, soon

INSERT = """
INSERT INTO events (stream, version, type, slot, event_id, actor, command_id, correlation_id, payload)
VALUES ('late-1', 1, 'test.happened.v1', 0, gen_random_uuid(), 'system', gen_random_uuid(), gen_random_uuid(), '{}')
"""


async def states(retention: Retention) -> list[str]:
    from workers.retention.partitions import partitions

    return [each.state for each in await partitions(retention.owner)]


async def test_the_next_event_goes_into_the_next_partition_once_this_one_is_old(retention: Retention) -> None:
    await retention.ended_session(3)
    assert await retention.run(over_before=LONG_AGO) == []
    (kept,) = await retention.run(close_before=soon(), over_before=LONG_AGO)
    assert (kept.closed, kept.sealed) == (True, True)
    assert await states(retention) == ["sealed", "written", "ahead", "ahead"]
    await retention.world.scribe.user()
    await retention.world.project()
    parts = await retention.owner.fetch("SELECT tableoid::regclass::text AS part, count(*) FROM events GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in parts] == [("events_p000000", 5), ("events_p000001", 3)]
    assert [event.position for event in await retention.log()] == list(range(1, 9))


async def test_a_sealed_partition_is_told_in_the_log(retention: Retention) -> None:
    await retention.ended_session(3)
    await retention.run(close_before=soon(), over_before=LONG_AGO)
    await retention.world.project()
    (told,) = [decode_event(e.type, e.payload) for e in await retention.log() if e.stream == log.STREAM]
    assert isinstance(told, PartitionSealed)
    assert (told.partition, told.first_position, told.last_position, told.events) == (0, 1, 5, 5)


async def test_a_transaction_that_still_writes_is_waited_for(retention: Retention) -> None:
    await retention.ended_session(3)
    late = await asyncpg.connect(retention.database.owner_url)
    await late.execute("BEGIN")
    await late.execute(INSERT)
    running = asyncio.create_task(retention.run(close_before=soon(), over_before=LONG_AGO))
    while await states(retention) != ["closed", "written", "ahead", "ahead"]:
        await asyncio.sleep(0.01)
    assert not running.done()
    await late.execute("COMMIT")
    await late.close()
    (kept,) = await running
    assert kept.sealed
    assert await retention.owner.fetchval("SELECT events FROM log_partitions") == 6


async def test_nothing_is_written_into_a_sealed_partition(retention: Retention) -> None:
    await retention.ended_session(3)
    await retention.run(close_before=soon(), over_before=LONG_AGO)
    await retention.owner.execute("SELECT setval('events_append_id_seq', 100)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await retention.owner.execute(INSERT)


async def test_the_sequencer_looks_at_no_sealed_partition(retention: Retention) -> None:
    """It has no index of transaction ids any more: a look would be a walk through all of it."""
    await retention.ended_session(3)
    await retention.run(close_before=soon(), over_before=LONG_AGO)
    assert await retention.owner.fetchval("SELECT to_regclass('events_p000000_xid')") is None
    scans = """
        SELECT sum(pg_stat_get_xact_numscans(c.oid)) FROM pg_class c
        WHERE c.oid = $1::text::regclass OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = $1::text::regclass)
    """
    await retention.world.scribe.user()
    stepping = await asyncpg.connect(retention.database.app_url)
    async with stepping.transaction():
        assert await stepping.fetchval("SELECT added FROM sequence_step()") > 0
        assert await stepping.fetchval(scans, "events_p000000") == 0
        assert await stepping.fetchval(scans, "events_p000001") > 0
    await stepping.close()


async def test_sealing_that_was_broken_off_is_finished(retention: Retention) -> None:
    await retention.ended_session(3)
    await retention.run(close_before=soon(), over_before=LONG_AGO)
    await retention.owner.execute("DROP TRIGGER sealed ON events_p000000")
    (kept,) = await retention.run(over_before=LONG_AGO)
    assert kept.sealed
    assert (await states(retention))[0] == "sealed"
    assert await retention.owner.fetchval("SELECT count(*) FROM events WHERE stream = 'log'") == 1


async def test_the_serving_role_closes_and_seals_nothing(retention: Retention) -> None:
    for statement in (
        "SELECT close_partition()",
        "INSERT INTO log_partitions VALUES (0, 1, 1, 1, now())",
        "UPDATE log_partitions SET detached_at = now()",
        "CREATE TABLE detached.mine (n integer)",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await retention.world.connection.execute(statement)
