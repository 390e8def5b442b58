"""The sequencer's laws over random schedules of transactions."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.log_reader import LogReader
from domain.ids import EventId, StreamName
from tests.conftest import Database
from tests.store.commits import commit, stream, write
from tests.store.sequencing import append, sequenced
from workers.sequencer import Sequencer


@dataclass(frozen=True, slots=True)
class Turn:
    """One transaction of a writer: it may draw its transaction id early, dawdle before and after the append, and roll back."""

    streams: tuple[int, ...]
    early_xid: bool
    before: float
    after: float
    end: Literal["commit", "roll back"]


@dataclass(slots=True)
class Told:
    """What writers were told: event ids that are in, in the order each writer learned of them, and ids that are not."""

    done: list[list[EventId]] = field(default_factory=list)
    not_done: set[EventId] = field(default_factory=set)


delays = st.sampled_from([0.0, 0.0, 0.001, 0.004, 0.02])
turns = st.builds(
    Turn,
    streams=st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True).map(tuple),
    early_xid=st.booleans(),
    before=delays,
    after=delays,
    end=st.sampled_from(["commit", "commit", "commit", "roll back"]),
)
schedules = st.lists(st.lists(turns, min_size=1, max_size=8), min_size=2, max_size=6)


async def play(url: str, streams: Sequence[StreamName], schedule: Sequence[Turn], told: Told) -> None:
    """Append as the store does, by the same function, but with the transaction in our own hands."""
    mine: list[EventId] = []
    told.done.append(mine)
    connection = await asyncpg.connect(url)
    try:
        for turn in schedule:
            transaction = connection.transaction()
            await transaction.start()
            if turn.early_xid:
                await connection.execute("SELECT pg_current_xact_id()")
            await asyncio.sleep(turn.before)
            names = [streams[n] for n in turn.streams]
            heads = await connection.fetch("SELECT coalesce(version, 0) FROM load_heads($1)", names)
            made = commit(*(write(name, head[0], events=2) for name, head in zip(names, heads, strict=True)))
            ids = [e.event_id for w in made.writes for e in w.events]
            passed = await append(connection, made)
            await asyncio.sleep(turn.after)
            await (transaction.commit() if turn.end == "commit" else transaction.rollback())
            if passed and turn.end == "commit":
                mine.extend(ids)
            else:
                told.not_done.update(ids)
    finally:
        await connection.close()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(schedule=schedules, long=st.booleans())
async def test_positions_are_contiguous_and_keep_every_order(database: Database, schedule: Sequence[Sequence[Turn]], long: bool) -> None:
    streams = [stream() for _ in range(4)]
    told, stop = Told(), asyncio.Event()
    reader, sequencers = LogReader(database.app_url), [Sequencer(database.app_url) for _ in range(2)]
    before = await reader.size()
    running = [asyncio.create_task(s.run(stop)) for s in sequencers]
    dawdler = await asyncpg.connect(database.app_url)
    transaction = dawdler.transaction()
    await transaction.start()
    lonely = commit(write(stream(), 0))
    if long:
        assert await append(dawdler, lonely)
    await asyncio.gather(*(play(database.app_url, streams, turns, told) for turns in schedule))
    committed = sum(len(ids) for ids in told.done)
    await sequenced(reader, before.size + committed)
    seen = [e.event_id for e in (await reader.read(before.size, 100_000)).events]
    await transaction.commit()
    total = committed + (1 if long else 0)
    await sequenced(reader, before.size + total)
    stop.set()
    await asyncio.gather(*running)
    events = (await reader.read(before.size, 100_000)).events
    place = {e.event_id: e.position or 0 for e in events}
    assert [e.position for e in events] == list(range(before.size + 1, before.size + total + 1))
    assert seen == [e.event_id for e in events][:committed], "what was read once never moves"
    assert set(place) == {i for ids in told.done for i in ids} | ({lonely.writes[0].events[0].event_id} if long else set())
    assert not told.not_done & set(place)
    for name in streams:
        assert [e.version for e in events if e.stream == name] == list(range(1, 1 + sum(e.stream == name for e in events)))
    for ids in told.done:
        assert all(place[a] < place[b] for a, b in pairwise(ids)), "what came after an answer comes later in the log"
    await dawdler.close()
    await reader.close()
