"""Reading the log by position."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from adapters.event_store import PostgresEventStore
from adapters.log_reader import LogBroken, LogReader
from tests.conftest import Database
from tests.store.commits import commit, stream, write
from workers.sequencer import Sequencer


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


async def fill(store: PostgresEventStore, sequencer: Sequencer, rounds: int = 4) -> int:
    """Write so that ids have gaps, and positions several runs."""
    for _ in range(rounds):
        await asyncio.gather(*(store.append(commit(write(stream(), 0, events=1 + n % 3))) for n in range(30)))
        await sequencer.step()
    return rounds * 60


async def test_an_empty_log_has_an_empty_page(reader: LogReader) -> None:
    page = await reader.read(0, 10)
    assert (list(page.events), page.through, page.size, page.epoch) == ([], 0, 0, 1)
    assert (await reader.size()).size == 0


async def test_events_without_a_position_are_not_in_the_log(
    reader: LogReader, postgres_store: PostgresEventStore, sequencer: Sequencer
) -> None:
    name = stream()
    await postgres_store.append(commit(write(name, 0)))
    assert (await reader.read(0, 10)).through == 0
    assert [e.position for e in await postgres_store.read_stream(name)] == [None]
    await sequencer.step()
    assert [e.stream for e in (await reader.read(0, 10)).events] == [name]
    assert [e.position for e in await postgres_store.read_stream(name)] == [1]


@pytest.mark.parametrize("limit", [1, 7, 64, 1000])
async def test_pages_of_any_size_give_every_position_once(
    reader: LogReader, postgres_store: PostgresEventStore, sequencer: Sequencer, limit: int
) -> None:
    size = await fill(postgres_store, sequencer)
    positions: list[int | None] = []
    through = 0
    while (page := await reader.read(through, limit)).through > through:
        positions += [e.position for e in page.events]
        through = page.through
    assert positions == list(range(1, size + 1))


async def test_past_the_end_there_is_nothing(reader: LogReader, postgres_store: PostgresEventStore, sequencer: Sequencer) -> None:
    size = await fill(postgres_store, sequencer, rounds=1)
    page = await reader.read(size + 5, 10)
    assert (list(page.events), page.through) == ([], size + 5)


@pytest.mark.parametrize(
    "harm",
    [
        "DELETE FROM log_runs WHERE position_start = (SELECT max(position_start) FROM log_runs)",
        "DELETE FROM log_runs WHERE position_start = 1",
        "UPDATE log_runs SET n = n + 1 WHERE position_start = 1",
        "UPDATE log_runs SET append_start = append_start + 1000",
    ],
)
async def test_a_log_with_a_hole_stops_its_reader(
    database: Database, reader: LogReader, postgres_store: PostgresEventStore, sequencer: Sequencer, harm: str
) -> None:
    owner = await asyncpg.connect(database.owner_url)
    for _ in range(3):
        await fill(postgres_store, sequencer, rounds=1)
        await owner.execute("SELECT nextval('events_append_id_seq')")
    size = (await reader.size()).size
    assert len((await reader.read(0, size)).events) == size
    await owner.execute(harm)
    await owner.close()
    with pytest.raises(LogBroken):
        await reader.read(0, size)
