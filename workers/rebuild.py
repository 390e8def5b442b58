"""Builds a read model anew beside the one that serves, checks it, and lets it take over.

Streams are folded in memory, so each is written once; when there are many, in several passes over the log, each for a
part of the slots. Killed on the way, it leaves an unfinished table that nobody reads and the next rebuild removes.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from time import monotonic
from typing import Any

import asyncpg
import structlog
from msgspec import Struct

from adapters.cycles import no_search_for_cycles
from adapters.in_turns import in_turns
from adapters.log_reader import LogReader, LogSize
from adapters.postgres import CONNECT_SECONDS
from adapters.postgres_connect import connect
from adapters.postgres_sql import statements
from domain.ids import StreamName
from projections import generations, table
from projections.catalogue import BY_NAME
from projections.columns import to_values
from projections.generations import Generation
from projections.periods import Unwritten
from projections.projection import Entity, Gone, Journal, Periods, Projection, Versioned, category_of
from workers import rebuild_check
from workers.decoded import read_columns
from workers.feeds import Feed, park
from workers.folding import fold
from workers.projector import Projector

SQL = statements(Path(__file__).with_suffix(".sql"))

PAGE = 5_000
"""Positions a statement reads: well within what one may take."""
STREAMS_IN_MEMORY = 250_000
ROWS_PER_COPY = 20_000
ABANDONED_SECONDS = 60
CATCH_UP_SECONDS = 600.0
SLOW_SECONDS = 0.02
"""A head is read in well under a millisecond: past this, others are waiting for what we take."""

log = structlog.stdlib.get_logger()


class RebuildRefused(Exception):
    """Nothing was changed. The message says why."""


class RebuildDiffers(Exception):
    """The new table is not what fresh folds give; it does not serve, and was removed. `streams` are some of those that differ."""

    def __init__(self, streams: Sequence[str]) -> None:
        super().__init__(f"{len(streams)} sampled rows differ from fresh folds")
        self.streams = streams


class Advance(Struct, frozen=True, kw_only=True):
    """How far a rebuild is. `done` and `total` count events over all passes."""

    stage: str
    done: int
    total: int
    per_second: float


class Rebuilt(Struct, frozen=True, kw_only=True):
    name: str
    generation: int
    events: int
    seconds: float
    checked: int
    switched: bool


async def rebuild(
    url: str, name: str, *, progress: Callable[[Advance], None] = lambda _: None, switch: bool = True, gently: bool = True
) -> Rebuilt:
    """Build, check and, unless told not to, switch. Without `gently`, where nobody is served meanwhile, nothing stands back for others.

    Raises RebuildRefused, RebuildDiffers; LogBroken, StoreUnavailable.
    """
    projection = named(name)
    began = monotonic()
    reader = LogReader(url)
    connection = await connect(url, timeout=CONNECT_SECONDS)
    try:
        if away := await connection.fetchval(SQL["detached"]):
            raise RebuildRefused(f"a part of the log was moved away, and a read model needs all of it: `minos retention attach {away[0]}`")
        await generations.ensure(connection, [projection])
        await generations.drop_abandoned(connection, projection, untouched_s=ABANDONED_SECONDS)
        generation = await generations.begin_building(connection, projection)
        if generation is None:
            raise RebuildRefused(f"{name} is being rebuilt already; a dead rebuild is removed a minute after its last sign of life")
        target = await reader.size()
        filling = _Filling(
            url=url, connection=connection, projection=projection, generation=generation, target=target, progress=progress, gently=gently
        )
        events = await filling.fill()
        progress(Advance(stage="indexing", done=events, total=events, per_second=0))
        if not await generations.finish(connection, projection, generation, position=target.size, epoch=target.epoch):
            raise RebuildRefused(f"the new {name} was taken for abandoned and removed")
        await _catch_up(url, connection, projection, generation)
        checked, differing = await rebuild_check.sample(connection, projection, generation)
        if differing:
            async with connection.transaction():
                await generations.drop(connection, projection, generation.number)
            raise RebuildDiffers(differing)
        switched = switch and await generations.switch(connection, projection, generation.number)
        seconds = monotonic() - began
        log.info("projection_rebuilt", projection=name, version=generation.number, events=events, duration_ms=round(seconds * 1000))
        return Rebuilt(name=name, generation=generation.number, events=events, seconds=seconds, checked=checked, switched=switched)
    finally:
        await reader.close()
        await connection.close(timeout=5)


def named(name: str) -> Projection:
    """Raises RebuildRefused when there is no such read model."""
    projection = BY_NAME.get(name)
    if name == "signals":
        raise RebuildRefused("signals is no read model but what services are told: it stands here for how far it is, and mends itself")
    if projection is None:
        raise RebuildRefused(f"no read model is named {name}; there are {', '.join(BY_NAME)}")
    return projection


@dataclass(frozen=True, slots=True)
class _Part:
    """Streams from `low` up to, not including, `high`, in the slots from the first to the last."""

    low: str
    high: str
    first: int = 0
    last: int = 63


@dataclass(slots=True, kw_only=True)
class _Filling:
    """One rebuild's way through the log."""

    url: str
    connection: "asyncpg.Connection[asyncpg.Record]"
    projection: Projection
    generation: Generation
    target: LogSize
    progress: Callable[[Advance], None]
    gently: bool
    began: float = field(default_factory=monotonic)
    events: int = 0
    positions: int = 0
    passes: int = 1

    async def fill(self) -> int:
        """Read the log, fold it, and copy the rows in; give how many events were folded."""
        low, high = stream_range(self.projection)
        streams = 0
        for category in categories_of(self.projection) or ():
            streams += await self.connection.fetchval(SQL["count_streams"], f"{category}-", f"{category}.")
        parts = [_Part(low, high, *slots) for slots in _shares(-(-streams // STREAMS_IN_MEMORY))]
        self.passes = len(parts)
        reading = await connect(self.url, timeout=CONNECT_SECONDS)
        try:
            with no_search_for_cycles():
                for part in parts:
                    await self._pass(reading, part)
        finally:
            reading.terminate()
        return self.events

    async def _pass(self, reading: "asyncpg.Connection[asyncpg.Record]", part: _Part) -> None:
        held: dict[StreamName, Versioned[Any] | Gone] = {}
        unwritten = Unwritten()
        parked: set[StreamName] = set()
        entries: list[Struct] = []
        categories = categories_of(self.projection)
        async for records in self._pages(reading, part):
            async for some in in_turns(records):
                wanted = (record for record in some if categories is None or category_of(record["stream"]) in categories)
                events = [event for event in map(read_columns, wanted) if event.stream not in parked]
                folded = fold(self.projection, held, events, unwritten)
                if folded.stopped_why is not None:
                    raise RebuildRefused(folded.stopped_why)
                held.update(folded.rows)
                if folded.poisoned:
                    parked.update(poison.stream for poison in folded.poisoned)
                    await park(self.connection, Feed(self.projection, self.generation, (0, 63), 0), folded.poisoned)
                entries += folded.entries
            if isinstance(self.projection, Journal):
                await self._copy([to_values(self.projection.columns, entry) for entry in entries])
                entries = []
            await self._copy(table.period_values(unwritten.closed))
            unwritten.closed, unwritten.ends = [], []
            self.events += len(records)
            await self._advance()
        if isinstance(self.projection, Entity):
            await self._copy(table.entity_values(self.projection, held))
        await self._copy(table.period_values(unwritten.still_open))

    async def _pages(self, reading: "asyncpg.Connection[asyncpg.Record]", part: _Part) -> AsyncIterator[list[asyncpg.Record]]:
        """Give the log page by page; the next one is read while one is folded."""
        following = asyncio.create_task(_read(reading, 0, min(PAGE, self.target.size), part))
        try:
            for after in range(0, self.target.size, PAGE):
                records = await following
                following = asyncio.create_task(_read(reading, after + PAGE, min(after + 2 * PAGE, self.target.size), part))
                self.positions += min(PAGE, self.target.size - after)
                yield records
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def _copy(self, values: Sequence[tuple[object, ...]]) -> None:
        for start in range(0, len(values), ROWS_PER_COPY):
            await table.copy_in(self.connection, self.projection, self.generation, values[start : start + ROWS_PER_COPY])

    async def _advance(self) -> None:
        """Tell how far it is, say that we live, and stand back while the database is slow for others."""
        seconds = max(monotonic() - self.began, 0.001)
        total = self.target.size * self.passes
        self.progress(Advance(stage="folding", done=self.positions, total=total, per_second=self.positions / seconds))
        asked = monotonic()
        if not await generations.still_building(self.connection, self.generation):
            raise RebuildRefused(f"the new {self.projection.name} was taken for abandoned and removed")
        waited = monotonic() - asked
        if self.gently and waited > SLOW_SECONDS:
            await asyncio.sleep(min(waited * 4, 1.0))


def categories_of(projection: Projection) -> frozenset[str] | None:
    """Give whose streams a projection listens to; None where it listens to all."""
    match projection:
        case Entity():
            return frozenset({projection.category})
        case Periods():
            return projection.categories
        case Journal():
            return None


def stream_range(projection: Projection) -> tuple[str, str]:
    """Give between which names the streams lie that a projection listens to: `x-` comes before `x.` and nothing else between."""
    categories = tuple(categories_of(projection) or ())
    return (f"{categories[0]}-", f"{categories[0]}.") if len(categories) == 1 else ("", "~")


def _shares(passes: int) -> list[tuple[int, int]]:
    """Cut the 64 slots into about so many ranges."""
    width = max(1, 64 // max(1, passes))
    return [(start, min(start + width - 1, 63)) for start in range(0, 64, width)]


async def _read(connection: "asyncpg.Connection[asyncpg.Record]", after: int, through: int, part: _Part) -> list[asyncpg.Record]:
    if through <= after:
        return []
    async with connection.transaction(readonly=True):
        await connection.execute(SQL["by_the_indexes"])
        records = await connection.fetch(SQL["read"], after, through, part.low, part.high, part.first, part.last)
    return sorted(records, key=itemgetter("position"))


async def _catch_up(url: str, connection: "asyncpg.Connection[asyncpg.Record]", projection: Projection, generation: Generation) -> None:
    """Bring the new table up to the log's end as it is now; from then on any projector keeps it there."""
    projector = Projector(url, projections=[projection])
    try:
        async with asyncio.timeout(CATCH_UP_SECONDS):
            (state,) = await connection.fetch(SQL["state"], projection.name, generation.number)
            wanted = state["size"]
            while state["position"] is not None and state["position"] < wanted:
                await projector.step()
                (state,) = await connection.fetch(SQL["state"], projection.name, generation.number)
                await asyncio.sleep(0.01)
    finally:
        await projector.close()
