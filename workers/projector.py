"""Keeps the read models up to date: reads the log once, decodes it once, hands it to every one of them.

Rows and the position they reach are written in one transaction, so a crash leaves both or neither and the batch is done
again. It need not be on disk when it returns: losing the last of them in a power cut is the same as not having done it.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import asyncpg
import structlog

from adapters.log_reader import LogPage, LogReader
from adapters.postgres import AWAY, CONNECT_SECONDS
from adapters.postgres_connect import connect
from domain.errors import StoreUnavailable
from domain.event import Recorded
from domain.ids import CorrelationId, StreamName
from projections import generations, table
from projections.catalogue import ALL
from projections.projection import Entity, Journal, Periods, Projection, Versioned
from workers import feeds
from workers.decoded import Read, decoded
from workers.feeds import Feed
from workers.folding import Folded, Poison, Sorted, fold
from workers.hints import Hint

MOST_EVENTS = 2_000
FIRST_EVENTS = 500
BUSY_SECONDS = 0.05
IDLE_SECONDS = 0.5
PACE_SECONDS = 0.02
TRICKLE_SECONDS = 0.05
FEW = 16
"""What comes within the pause after a step shares the next one: a step costs the same statements whatever is in it. The pause is
longer after a step of so few events. An event after a quiet time waits for no pause."""
BUSY_STEPS = 20
LOOK_SECONDS = 1.0
"""How often a busy projector looks for feeds that are new."""
STEP_SECONDS = 4.0
"""Less than the database allows a transaction of ours, so that it is we who give up and try with fewer events."""

_POISON = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.ProgramLimitExceededError, OverflowError)
"""What a value can do to a statement. Anything else is not the event's fault, and parking it would hide that."""

log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True)
class Progress:
    """Where one feed is. `lag_s` is the age of the oldest event of its last batch, 0 when it has everything."""

    projection: str
    generation: int
    slot_from: int
    position: int
    lag_events: int
    lag_s: float


@dataclass(frozen=True, slots=True)
class Worked:
    """One batch of events, handed to so many feeds together, and the requests whose events these were."""

    events: int
    position: int
    feeds: int
    seconds: float
    correlations: frozenset[CorrelationId]


@dataclass(frozen=True, slots=True)
class _Batch:
    after: int
    through: int
    epoch: int
    events: Sequence[Read]
    sorted: Sorted = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sorted", Sorted(self.events))


class Projector:
    """One projector over two connections: one reads the log, one writes rows. Any number may run; each feed is one's at a time."""

    def __init__(
        self,
        url: str,
        *,
        projections: Sequence[Projection] = ALL,
        ranges: int = 1,
        hint: Hint | None = None,
        observe: Callable[[Progress], None] = lambda _: None,
        worked: Callable[[Worked], None] | None = None,
    ) -> None:
        self.hint = Hint() if hint is None else hint
        self._url = url
        self._projections = {projection.name: projection for projection in projections}
        self._ranges = ranges
        self._observe = observe
        self._worked = worked
        self._reader = LogReader(url)
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._limit = FIRST_EVENTS
        self._behind = False
        self._took = 0
        self._left: list[Feed] = []
        self._look_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Keep up until `stop` is set. Raises StoreUnavailable when Postgres goes away, and LogBroken; call it again then."""
        try:
            await self.begin()
            quiet = 0
            while not stop.is_set():
                self.hint.clear()
                moved = await self.step()
                quiet = 0 if moved else quiet + 1
                await asyncio.sleep(TRICKLE_SECONDS if self._took < FEW else PACE_SECONDS)
                if not moved or not self._behind:
                    await self.hint.within(BUSY_SECONDS if quiet < BUSY_STEPS else IDLE_SECONDS)
        finally:
            await self.close()

    async def begin(self) -> None:
        """Make tables that are missing, share the slots, and let what was paused try again: this may be the newer program."""
        try:
            connection = await self._connected()
            await generations.ensure(connection, self._projections.values())
            await feeds.divide(connection, self._projections, self._ranges)
            await feeds.resume(connection, self._projections)
        except AWAY as error:
            raise StoreUnavailable from error

    async def step(self) -> bool:
        """Give every feed its next batch; feeds at about the same place share one. True when any of them moved."""
        moved = False
        self._behind, self._took = True, 0
        try:
            waiting = await self._waiting()
            number, left = len(waiting), list[Feed]()
            while waiting:
                began = perf_counter()
                batch, size = await self._read(waiting[0].position)
                together = [feed for feed in waiting if feed.position <= batch.through]
                waiting = waiting[len(together) :]
                done = await self._apply_within(together, batch) if batch.through > batch.after else []
                moved = moved or bool(done)
                self._behind = bool(waiting) or batch.through < size
                self._tell(together, done, batch, size)
                if done and self._worked is not None:
                    self._worked(_worked(batch, len(done), perf_counter() - began))
                self._took += len(batch.events)
                left += done
            self._left = left if len(left) == number else []
        except asyncpg.UndefinedTableError:
            return True  # a generation was dropped meanwhile: the next look no longer finds it
        except TimeoutError:
            self._limit = max(1, self._limit // 2)
            self._drop()
            log.warning("projector_batch_halved", limit=self._limit)
            return True
        except AWAY as error:
            self._drop()
            raise StoreUnavailable from error
        return moved

    async def close(self) -> None:
        await self._reader.close()
        self._drop()

    async def _waiting(self) -> list[Feed]:
        """Give every feed, the furthest behind first: where a step that moved all of them left them, or else by a look.

        A database that crashed may have forgotten that step, so it is remembered no longer than the connection that made it lives.
        """
        left, self._left = self._left, []
        now = asyncio.get_running_loop().time()
        if left and now < self._look_at and self._connection is not None and not self._connection.is_closed():
            return sorted(left, key=lambda feed: feed.position)
        self._look_at = now + LOOK_SECONDS
        return await feeds.live(await self._connected(), self._projections)

    async def _read(self, after: int) -> tuple[_Batch, int]:
        page: LogPage = await self._reader.read(after, self._limit)
        return _Batch(after, page.through, page.epoch, [decoded(event) for event in page.events]), page.size

    async def _apply_within(self, together: Sequence[Feed], batch: _Batch) -> list[Feed]:
        try:
            async with asyncio.timeout(STEP_SECONDS):
                done = await self._apply(together, batch)
        except _POISON:
            return await self._apply_bisecting(together, batch)
        self._limit = min(MOST_EVENTS, self._limit * 2)
        return done

    async def _apply(self, together: Sequence[Feed], batch: _Batch) -> list[Feed]:
        """Write one batch for every feed that nobody else is at, all or nothing. Gives those that moved, where they are now."""
        connection = await self._connected()
        async with connection.transaction():
            taken = await feeds.take(connection, self._projections, together, list({event.stream for event in batch.events}))
            moved: list[Feed] = []
            for feed, back in taken:
                if not batch.after <= feed.position < batch.through:
                    continue
                through = await self._write(connection, feed, batch, back)
                if through > feed.position:
                    moved.append(replace(feed, position=through))
            if moved:
                await feeds.move(connection, moved, epoch=batch.epoch)
            return moved

    async def _write(self, connection: generations.Connection, feed: Feed, batch: _Batch, back: frozenset[StreamName]) -> int:
        """Write one feed's rows, park what it cannot take, and give how far it came."""
        events = [
            event for event in batch.sorted.concerning(feed.projection)
            if (event.position or 0) > feed.position and event.stream not in back and feed.takes(event.stream)
        ]  # fmt: skip
        if not events:
            return batch.through
        rows: dict[StreamName, Versioned[Any]] = {}
        if isinstance(feed.projection, Entity):
            rows = await table.load(connection, feed.projection, feed.generation, list({event.stream for event in events}))
        folded = fold(feed.projection, rows, events)
        await self._save(connection, feed, folded)
        if folded.poisoned:
            await feeds.park(connection, feed, folded.poisoned)
            for poison in folded.poisoned:
                log.error("projection_stream_parked", projection=feed.projection.name, stream=poison.stream,
                          position=poison.position, reason=poison.reason)  # fmt: skip
        if folded.stopped_before is not None:
            await feeds.pause(connection, feed, folded.stopped_why or "")
            log.error("projection_paused", projection=feed.projection.name, position=folded.stopped_before, reason=folded.stopped_why)
            return folded.stopped_before - 1
        return batch.through

    async def _save(self, connection: generations.Connection, feed: Feed, folded: Folded) -> None:
        match feed.projection:
            case Entity():
                if folded.rows:
                    await table.save(connection, feed.projection, feed.generation, folded.rows)
            case Journal():
                if folded.entries:
                    await table.write_down(connection, feed.projection, feed.generation, folded.entries)
            case Periods():
                await table.save_periods(connection, feed.generation, folded.unwritten)

    async def _apply_bisecting(self, together: Sequence[Feed], batch: _Batch) -> list[Feed]:
        """The database refused a value: find the feed and the event by halves, park that stream there, keep the rest."""
        done: dict[tuple[str, int, int], Feed] = {}
        for feed in together:
            open_halves = [batch]
            while open_halves:
                part = open_halves.pop()
                try:
                    moved = await self._apply([feed], part)
                except _POISON as error:
                    if len(part.events) > 1:
                        open_halves.extend(reversed(_halves(part)))
                        continue
                    moved = await self._park(feed, part, type(error).__name__)
                done.update({(f.projection.name, f.generation.number, f.slots[0]): f for f in moved})
        return list(done.values())

    async def _park(self, feed: Feed, part: _Batch, reason: str) -> list[Feed]:
        connection = await self._connected()
        (event,) = part.events
        async with connection.transaction():
            await feeds.park(connection, feed, [Poison(event.stream, part.through, reason)])
        log.error("projection_stream_parked", projection=feed.projection.name, stream=event.stream, position=part.through, reason=reason)
        return await self._apply([feed], part)

    def _tell(self, together: Sequence[Feed], done: Sequence[Feed], batch: _Batch, size: int) -> None:
        age = max(0.0, (datetime.now(UTC) - batch.events[0].recorded_at).total_seconds()) if batch.events else 0.0
        now = {(f.generation, f.slots): f for f in [*together, *done]}
        for feed in now.values():
            self._observe(Progress(feed.projection.name, feed.generation.number, feed.slots[0], feed.position, size - feed.position, age))

    async def _connected(self) -> "asyncpg.Connection[asyncpg.Record]":
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(self._url, timeout=CONNECT_SECONDS, command_timeout=STEP_SECONDS)
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()


def _worked(batch: _Batch, feeds: int, seconds: float) -> Worked:
    correlations = frozenset(event.correlation_id for event in batch.events if isinstance(event, Recorded))
    return Worked(len(batch.events), batch.through, feeds, seconds, correlations)


def _halves(batch: _Batch) -> list[_Batch]:
    middle = len(batch.events) // 2
    at = batch.events[middle - 1].position or batch.after
    return [
        replace(batch, through=at, events=batch.events[:middle]),
        replace(batch, after=at, events=batch.events[middle:]),
    ]
