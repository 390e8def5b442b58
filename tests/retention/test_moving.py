"""A partition leaves the log once its export is whole, and comes back as it was."""

from pathlib import Path

import asyncpg
import pytest

from adapters.event_store import PostgresEventStore
from adapters.leaves import leaf_bytes
from adapters.log_reader import LogReader
from commands.transact import folded
from domain import session, user
from domain.errors import LogDetached
from domain.ids import SessionId
from domain.tree.tiles import pack_entries, tile_path
from projections.past import audience_rules
from projections.past.moments import moment
from projections.past.rights import rights
from projections.reading import ReadModels
from projections.sessions import sessions
from projections.sql import beside
from tests.conftest import Database
from tests.projections.histories import issued
from tests.retention.conftest import LONG_AGO, Retention, soon
from workers.rebuild import RebuildRefused, rebuild
from workers.retention.exported import ROWS
from workers.retention.finding import NotAsHashed
from workers.retention.moving import attach, detach
from workers.retention.partitions import RetentionRefused, one

EVENTS = 512


async def export(retention: Retention, folder: Path) -> Path:
    events = await retention.log()
    for tile in range(len(events) // 256):
        path = folder / tile_path("entries", tile)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pack_entries(b"" if event.pruned else leaf_bytes(event) for event in events[tile * 256 : tile * 256 + 256]))
    return folder


@pytest.fixture
async def full(retention: Retention, tmp_path: Path) -> tuple[Retention, Path, SessionId]:
    """Partition 0 has 512 events, two full tiles; it is sealed, pruned, and exported. More came behind it."""
    ended = await retention.ended_session(EVENTS // 2 - 2)
    await retention.ended_session(EVENTS // 2 - 2)
    await retention.hash()
    folder = await export(retention, tmp_path)
    await retention.run(close_before=soon(), over_before=LONG_AGO)
    await retention.live_session(3)
    await retention.world.project()
    return retention, folder, ended


async def read(database: Database, after: int, limit: int) -> int:
    reader = LogReader(database.app_url)
    try:
        return len((await reader.read(after, limit)).events)
    finally:
        await reader.close()


async def test_a_partition_goes_and_comes_back_as_it_was(full: tuple[Retention, Path, SessionId]) -> None:
    retention, folder, _ = full
    before = await retention.log()
    await detach(retention.owner, 0, folder)
    assert await retention.owner.fetchval("SELECT min(append_id) FROM events") > EVENTS
    assert await retention.owner.fetchval("SELECT count(*) FROM detached.events_p000000") == EVENTS
    await retention.world.scribe.user()
    await retention.world.project()
    await attach(retention.owner, 0)
    await retention.world.project()
    assert (await retention.log())[: len(before)] == before
    types = [event.type for event in await retention.log() if event.stream == "log"]
    assert types == ["log.sealed.v1", "log.detached.v1", "log.attached.v1"]


async def test_readers_are_told_what_lies_elsewhere_and_how_it_comes_back(full: tuple[Retention, Path, SessionId]) -> None:
    retention, folder, _ = full
    await detach(retention.owner, 0, folder)
    with pytest.raises(LogDetached, match=r"Positions 1 to 512 .* `minos retention attach 0`"):
        await read(retention.database, 0, 10)
    with pytest.raises(LogDetached):
        await read(retention.database, EVENTS - 1, 2)
    assert await read(retention.database, EVENTS, 4) == 4
    with pytest.raises(RebuildRefused, match="minos retention attach 0"):
        await rebuild(retention.database.app_url, sessions.name)
    with pytest.raises(asyncpg.PostgresError) as refused:
        await retention.world.connection.fetchval("SELECT log_time(10)")
    assert refused.value.sqlstate == "MD001"


async def test_a_question_about_the_past_that_needs_what_lies_elsewhere_says_so(full: tuple[Retention, Path, SessionId]) -> None:
    retention, folder, ended = full
    await detach(retention.owner, 0, folder)
    async with asyncpg.create_pool(retention.database.app_url, min_size=1, max_size=1) as pool:
        models = ReadModels(pool)
        with pytest.raises(LogDetached, match=r"Positions 1 to 512"):
            await moment(models, 10)
        with pytest.raises(LogDetached):
            await models.fetch(rights, beside(audience_rules.__file__)["read"], [session.stream(ended)], EVENTS)
        assert (await moment(models, EVENTS + 1)).position == EVENTS + 1


async def test_a_stream_that_lies_elsewhere_in_whole_or_in_part_is_never_read_without_that(full: tuple[Retention, Path, SessionId]) -> None:
    """What an account had to show when its address was changed, say, would come out as nothing."""
    retention, folder, ended = full
    user_id, store = await retention.world.scribe.user(), PostgresEventStore(retention.database.app_url)
    await detach(retention.owner, 0, folder)
    stream = session.stream(ended)
    (head,) = (await store.load([stream])).heads
    with pytest.raises(LogDetached):
        await folded(store, head, session.decider)
    for after in (0, 100, head.version - 1):
        with pytest.raises(LogDetached):
            await store.read_stream(stream, after)
    assert len(await store.read_stream(stream, head.version)) == 0
    await retention.world.scribe.write(stream, issued(ended, user_id, 999))
    with pytest.raises(LogDetached):
        await store.read_stream(stream)
    assert [event.version for event in await store.read_stream(stream, head.version)] == [head.version + 1]
    assert len(await store.read_stream(user.stream(user_id))) == 2
    await store.close()


async def test_an_export_that_lacks_an_entry_or_has_another_keeps_the_partition(full: tuple[Retention, Path, SessionId]) -> None:
    retention, folder, _ = full
    path = folder / tile_path("entries", 1)
    whole = path.read_bytes()
    changed = whole.replace(b'"generation":9,', b'"generation":8,', 1)
    for broken, words in ((whole[:-3], "in the middle"), (changed, "another entry"), (None, "not there")):
        path.unlink()
        if broken is not None:
            path.write_bytes(broken)
        with pytest.raises(RetentionRefused, match=words):
            await detach(retention.owner, 0, folder)
        path.write_bytes(whole)
    assert await read(retention.database, 0, EVENTS) == EVENTS


async def test_a_partition_that_was_changed_while_it_was_away_does_not_come_back(full: tuple[Retention, Path, SessionId]) -> None:
    retention, folder, _ = full
    await detach(retention.owner, 0, folder)
    superuser = await asyncpg.connect(retention.database.superuser_url)
    await superuser.execute("SET session_replication_role = replica")
    await superuser.execute("UPDATE detached.events_p000000 SET actor = 'user:somebody else' WHERE append_id = 300")
    with pytest.raises(NotAsHashed, match="at position 300"):
        await attach(retention.owner, 0)
    await superuser.execute("DELETE FROM detached.events_p000000 WHERE append_id = 300")
    await superuser.close()
    with pytest.raises(RetentionRefused, match="has 511 events, and had 512"):
        await attach(retention.owner, 0)


async def test_pruned_payloads_need_not_be_in_the_export(full: tuple[Retention, Path, SessionId], tmp_path: Path) -> None:
    from workers.reaper import Reaper

    retention, _, _ = full
    await retention.run()
    reaper = Reaper(retention.database.app_url)
    await reaper.step()
    await reaper.close()
    assert sum(event.pruned for event in await retention.log()) == EVENTS - 6
    assert (await detach(retention.owner, 0, await export(retention, tmp_path / "again"))).events == EVENTS
    assert (await one(retention.owner, 0)).state == "detached"
    assert ROWS > EVENTS


async def test_it_stays_until_every_reader_is_past_it(full: tuple[Retention, Path, SessionId]) -> None:
    retention, folder, _ = full
    await retention.owner.execute("UPDATE projection_state SET position = $1 WHERE name = 'sessions'", EVENTS - 1)
    with pytest.raises(RetentionRefused, match=f"a reader of the log is at {EVENTS - 1}, and partition 0 ends behind it"):
        await detach(retention.owner, 0, folder)
    await retention.world.project()
    await detach(retention.owner, 0, folder)


async def test_the_partition_that_is_written_stays(full: tuple[Retention, Path, SessionId]) -> None:
    retention, folder, _ = full
    with pytest.raises(RetentionRefused, match="not sealed"):
        await detach(retention.owner, 1, folder)
