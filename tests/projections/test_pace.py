"""How fast the projector goes: fewer events when the database is slow, at once when told to look."""

import asyncio

import asyncpg
import pytest

from tests.projections.conftest import World
from workers.projector import FIRST_EVENTS, Progress, Projector


async def test_a_batch_that_takes_too_long_is_halved_and_done_again(world: World) -> None:
    await world.scribe.user()
    await world.sequencer.step()
    other = await asyncpg.connect(world.app_url)
    try:
        async with other.transaction():
            await other.execute("SET LOCAL transaction_timeout = 0")
            await other.execute("LOCK TABLE read.users_v5_g1 IN ACCESS EXCLUSIVE MODE")
            assert await world.projector.step()
            assert world.projector._limit == FIRST_EVENTS // 2
            assert await world.connection.fetchval("SELECT max(position) FROM projection_state") == 0
    finally:
        await other.close()
    await world.project()
    assert await world.connection.fetchval("SELECT min(position) FROM projection_state") == 2


async def test_a_hint_ends_the_pause_of_an_idle_projector(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.projector.BUSY_STEPS", 1)
    monkeypatch.setattr("workers.projector.IDLE_SECONDS", 60.0)
    told: list[Progress] = []
    projector = Projector(world.app_url, observe=told.append)
    stop = asyncio.Event()
    running = asyncio.create_task(projector.run(stop))
    await asyncio.sleep(0.5)  # by now it would look again in a minute
    await world.scribe.user()
    await world.sequencer.step()
    projector.hint.set()
    async with asyncio.timeout(30):
        while not any(progress.position == 2 for progress in told):
            await asyncio.sleep(0.005)
    stop.set()
    projector.hint.set()
    await running
    assert {progress.projection for progress in told if progress.lag_events == 0} >= {"users", "audit_events"}


async def test_a_projector_started_late_lets_the_others_keep_up(world: World) -> None:
    """One read model far behind is fed in turns with those that are not."""
    for _ in range(3):
        await world.scribe.user()
    await world.project()
    await world.connection.execute("UPDATE projection_state SET position = 0 WHERE name = 'users'")
    await world.scribe.user()
    await world.sequencer.step()
    assert await world.projector.step()
    positions = await world.connection.fetch("SELECT name, position FROM projection_state")
    assert {row["position"] for row in positions} == {8}


async def test_a_feed_that_was_paused_while_all_moved_stays_where_it_is(world: World) -> None:
    """A step goes on from where the last one left every feed, without a look at who is to be fed."""
    await world.scribe.user()
    await world.sequencer.step()
    assert await world.projector.step()
    await world.connection.execute("UPDATE projection_state SET status = 'paused' WHERE name = 'users'")
    await world.scribe.user()
    await world.project()
    assert await positions(world) == {"users": 2, "others": 4}
    await world.connection.execute("UPDATE projection_state SET status = 'live' WHERE name = 'users'")
    await world.project()
    assert await positions(world) == {"users": 4, "others": 4}
    assert await world.connection.fetchval("SELECT count(*) FROM read.users_v5_g1") == 2


async def test_a_busy_projector_takes_up_a_feed_that_another_one_moved(world: World) -> None:
    other = Projector(world.app_url)
    for _ in range(3):
        await world.scribe.user()
        await world.sequencer.step()
        assert await world.projector.step()
        await world.scribe.user()
        await world.sequencer.step()
        assert await other.step()
    await other.close()
    await world.project()
    assert await positions(world) == {"users": 12, "others": 12}
    assert await world.connection.fetchval("SELECT count(*) FROM read.users_v5_g1") == 6


async def test_what_a_crashed_database_forgot_is_done_again_by_the_next_step(world: World) -> None:
    """A step's commit need not be on disk: where the feeds are is known for as long as the connection that moved them lives."""
    await world.scribe.user()
    await world.sequencer.step()
    assert await world.projector.step()
    connection = world.projector._connection
    assert connection is not None
    await world.connection.execute("SELECT pg_terminate_backend($1, 5000)", connection.get_server_pid())
    await world.connection.execute("UPDATE projection_state SET position = 0")
    async with asyncio.timeout(5):
        while not connection.is_closed():
            await asyncio.sleep(0.01)
    assert await world.projector.step()
    assert await world.connection.fetchval("SELECT min(position) FROM projection_state") == 2


async def positions(world: World) -> dict[str, int]:
    rows = await world.connection.fetch("SELECT CASE name WHEN 'users' THEN name ELSE 'others' END AS who, position FROM projection_state")
    found = {(row["who"], row["position"]) for row in rows}
    assert len(found) == 2
    return dict(found)
