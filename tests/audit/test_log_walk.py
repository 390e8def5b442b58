"""Walking the log: everything once, in order, or what is wanted of it; and never past a gap."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

import asyncpg
import pytest

from adapters.event_store import PostgresEventStore
from adapters.log_reader import LogBroken
from adapters.log_walk import MOST_LOOKED_AT, LogFilter, LogWalk, Stretch, stretch
from adapters.postgres_links import Links
from commands.ports import StoredEvent
from domain import user
from domain.errors import LogChanged
from domain.ids import UserId
from tests.conftest import Database
from tests.projections.histories import Scribe
from tests.tree.dated import moment, write_dated
from workers.sequencer import Sequencer

ALL = LogFilter()


@dataclass
class Log:
    links: Links
    database: Database
    people: list[UserId]

    async def walked(self, wanted: LogFilter = ALL, *, page: int = 2, of: Stretch | None = None) -> list[StoredEvent]:
        found: list[StoredEvent] = []
        async with aclosing(LogWalk(self.links, wanted, page=page).pages(of or await stretch(self.links, after=0))) as pages:
            async for each in pages:
                found += each.events
        return found

    async def places(self, wanted: LogFilter) -> list[tuple[str, int]]:
        return [(event.stream, event.version) for event in await self.walked(wanted)]

    async def as_owner(self, sql: str) -> None:
        connection = await asyncpg.connect(self.database.superuser_url)
        await connection.execute(sql)
        await connection.close()


@pytest.fixture
async def log(database: Database) -> AsyncIterator[Log]:
    """Two people, of whom the first signs in twice."""
    store, sequencer, links = PostgresEventStore(database.app_url), Sequencer(database.app_url), Links(database.app_url)
    scribe = Scribe(store)
    people = [await scribe.user() for _ in range(2)]
    for _ in range(2):
        await scribe.session(people[0])
    await sequencer.step()
    yield Log(links, database, people)
    await links.close()
    await sequencer.close()
    await store.close()


@pytest.mark.parametrize("page", [1, 3, 8, 100])
async def test_every_event_comes_once_and_in_order(log: Log, page: int) -> None:
    assert [event.position for event in await log.walked(page=page)] == list(range(1, 9))


async def test_what_is_wanted_is_found_and_nothing_else(log: Log) -> None:
    ada, bob = log.people
    one = user.stream(ada)
    assert await log.places(LogFilter(stream=one)) == [(one, 1), (one, 2)]
    assert len(await log.places(LogFilter(type_prefix="session"))) == 4
    assert len(await log.places(LogFilter(type_prefix="session.started"))) == 2
    assert await log.places(LogFilter(type_prefix="session.start")) == []
    assert len(await log.places(LogFilter(user_id=ada))) == 6
    assert await log.places(LogFilter(user_id=bob, type_prefix="session")) == []
    assert len(await log.places(LogFilter(actor="anonymous"))) == 8
    assert await log.places(LogFilter(actor="user")) == []


async def test_where_little_is_wanted_more_is_looked_at_in_one_go(log: Log) -> None:
    of = await stretch(log.links, after=0)
    lengths, before = [], 0
    async for page in LogWalk(log.links, LogFilter(actor="nobody"), page=1).pages(of):
        lengths.append(page.through - before)
        before = page.through
    assert lengths == [1, 2, 4, 1]
    assert max(lengths) <= MOST_LOOKED_AT


async def test_positions_and_moments_bound_it_together(database: Database) -> None:
    await write_dated(database.owner_url, database.app_url, [moment(second) for second in (0, 10, 5, 20)])
    links = Links(database.app_url)
    try:
        of = await stretch(links, after=0, since=moment(10), until=moment(20))
        assert (of.after, of.last, of.size) == (1, 3, 4)  # the clock that ran back to 5 was there after 10
        assert (await stretch(links, after=2, through=99, since=moment(10))).after == 2
        assert (await stretch(links, after=2, through=99)).last == 4
        nothing = await stretch(links, after=0, since=moment(21))
        assert (nothing.after, nothing.last) == (4, 4)
    finally:
        await links.close()


@pytest.mark.parametrize("wanted", [ALL, LogFilter(actor="nobody")])
async def test_a_gap_ends_it(log: Log, wanted: LogFilter) -> None:
    await log.as_owner("SET session_replication_role = replica; DELETE FROM events WHERE version = 2 AND stream LIKE 'user-%'")
    with pytest.raises(LogBroken):
        await log.walked(wanted)


@pytest.mark.parametrize("wanted", [ALL, LogFilter(actor="nobody")])
async def test_another_epoch_ends_it(log: Log, wanted: LogFilter) -> None:
    of = await stretch(log.links, after=0)
    await log.as_owner("UPDATE log_head SET epoch = epoch + 1")
    with pytest.raises(LogChanged):
        await log.walked(wanted, of=of)


async def test_a_reader_who_leaves_leaves_no_question_behind(log: Log) -> None:
    of = await stretch(log.links, after=0)
    async with aclosing(LogWalk(log.links, ALL, page=1).pages(of)) as pages:
        async for _ in pages:
            break
    assert len(await log.walked()) == 8
