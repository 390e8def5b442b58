"""When something was last used: one suite for both, and what writing it down is careful about."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from adapters.last_used import MOST, PostgresLastUsed
from adapters.memory_last_used import MemoryLastUsed
from adapters.postgres_links import Links
from commands.ports import LastUsed
from domain.errors import StoreUnavailable
from domain.ids import StreamName

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ONE, TWO = StreamName("session-1"), StreamName("session-2")


def after(seconds: int) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
def memory_last_used() -> LastUsed:
    return MemoryLastUsed()


@pytest.fixture
def postgres_last_used(links: Links) -> LastUsed:
    return PostgresLastUsed(links)


@pytest.fixture(params=["memory_last_used", "postgres_last_used"])
def last_used(request: pytest.FixtureRequest) -> LastUsed:
    chosen: LastUsed = request.getfixturevalue(request.param)
    return chosen


async def test_the_latest_use_is_the_last(last_used: LastUsed) -> None:
    for at in (after(5), after(9), after(7)):
        last_used.note(ONE, at=at)
    assert await last_used.of([ONE, TWO]) == {ONE: after(9)}


async def test_what_one_process_wrote_another_reads(links: Links) -> None:
    here, there = PostgresLastUsed(links), PostgresLastUsed(links)
    here.note(ONE, at=NOON)
    await here.flush()
    assert await there.of([ONE]) == {ONE: NOON}


async def test_of_two_processes_the_later_use_stays(links: Links) -> None:
    here, there = PostgresLastUsed(links, grain=0), PostgresLastUsed(links, grain=0)
    here.note(ONE, at=after(200))
    await here.flush()
    there.note(ONE, at=NOON)
    assert await there.of([ONE]) == {ONE: after(200)}
    await there.flush()
    assert await there.of([ONE]) == {ONE: after(200)}


async def test_a_use_soon_after_the_written_one_writes_nothing(links: Links) -> None:
    here = PostgresLastUsed(links, grain=60)
    for at, expected in ((NOON, NOON), (after(59), NOON), (after(60), after(60))):
        here.note(ONE, at=at)
        await here.flush()
        assert await here.of([ONE]) == {ONE: expected}


async def test_uses_noted_while_the_database_is_away_are_written_later(links: Links) -> None:
    class Away:
        async def read(self, *_: object) -> None:
            raise StoreUnavailable

    here = PostgresLastUsed(links)
    here.note(ONE, at=NOON)
    here._links = Away()  # type: ignore[assignment]  # an outage
    with pytest.raises(StoreUnavailable):
        await here.flush()
    here._links = links
    await here.flush()
    assert await PostgresLastUsed(links).of([ONE]) == {ONE: NOON}


async def test_two_processes_with_the_same_streams_never_block_each_other(links: Links) -> None:
    here, there = PostgresLastUsed(links, grain=0), PostgresLastUsed(links, grain=0)
    names = [StreamName(f"session-{n:03}") for n in range(100)]
    for round_ in range(10):
        for name, back in zip(names, reversed(names), strict=True):
            here.note(name, at=after(round_))
            there.note(back, at=after(round_))
        await asyncio.gather(here.flush(), there.flush())
    assert len(await here.of(names)) == 100


async def test_what_is_noted_during_an_outage_is_bounded(links: Links) -> None:
    here = PostgresLastUsed(links)
    for n in range(MOST + 10):
        here.note(StreamName(f"session-{n}"), at=NOON)
    assert len(here._pending) == MOST


async def test_it_is_written_down_when_the_process_ends(links: Links) -> None:
    async with (here := PostgresLastUsed(links)).kept():
        here.note(ONE, at=NOON)
    assert await PostgresLastUsed(links).of([ONE]) == {ONE: NOON}
