"""Sends every event to NATS, in the order and under the number of its position.

The stream itself says how far it is; nothing else is remembered. Killed after sending and before the answer: the next
look at the stream's end tells whether it arrived. A stream that ends behind the log is filled up. One that knows more
than the log, or something else at the same place, means that the database lost commits: then nothing is sent until an
operator has opened a new epoch.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter

import msgspec
import structlog
from nats.aio.client import Client

from adapters.event_stream import EventStream
from adapters.jetstream import MOST_IN_BATCH, NotTheEnd, Outgoing, StreamAway
from adapters.log_reader import LogPage, LogReader
from commands.ports import StoredEvent
from domain.errors import UnknownEventTag
from domain.ids import CorrelationId, EventId
from workers.hints import Hint
from workers.outgoing import outgoing

MOST_EVENTS = 2_000
MOST_BYTES = 512 * 1024
"""Of one atomic batch: the server holds it in memory until it is whole."""
BUSY_SECONDS = 0.05
IDLE_SECONDS = 0.5
BUSY_STEPS = 20
PACE_SECONDS = 0.01
"""Events closer together than this share a batch: each costs the broker one flush to disk whatever is in it."""
LOADED_PACE_SECONDS = 0.015
LOADED_STEP = 8
"""A step that sent so many is followed by the longer pause: under load, fewer flushes count for more than milliseconds."""
STANDBY_SECONDS = 0.25
"""How long a publisher that met another one leaves it the field."""
AWAY_SECONDS = 0.5
AWAY_TOLD = 2
"""The first look fails at many a start beside a broker that is starting too: not worth a warning."""
HALTED_SECONDS = 2.0

log = structlog.stdlib.get_logger()


class Halted(Exception):
    """The stream contradicts the log, or an event cannot be shown. Only an operator can tell what is right."""


@dataclass(frozen=True, slots=True)
class Published:
    """The stream has everything up to `position`. `lag_s` is the age of the last batch's oldest event, 0 when nothing was missing."""

    position: int
    lag_events: int
    lag_s: float
    halted: str | None = None
    away: bool = False
    events: int = 0
    seconds: float = 0.0
    correlations: frozenset[CorrelationId] = frozenset()
    """The requests whose events these were."""


class Publisher:
    """One publisher. Any number may run: the stream refuses all but the one that knows its end."""

    def __init__(
        self,
        url: str,
        client: Client,
        *,
        hint: Hint | None = None,
        observe: Callable[[Published], None] = lambda _: None,
        name: str = "MINOS_EVENTS",
        root: str = "minos.events",
        replicas: int = 1,
    ) -> None:
        self.hint = Hint() if hint is None else hint
        self._client = client
        self._observe = observe
        self._name, self._root, self._replicas = name, root, replicas
        self._reader = LogReader(url)
        self._stream: EventStream | None = None
        self._position = self._lag = 0
        self._last: EventId | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set. NATS being away is waited out; raises StoreUnavailable and LogBroken: call it again then."""
        quiet, away, told = 0, 0, ""
        try:
            while not stop.is_set():
                self.hint.clear()
                try:
                    before = self._position
                    moved = await self.step()
                    quiet, away, told = 0 if moved else quiet + 1, 0, ""
                    if moved:
                        await asyncio.sleep(LOADED_PACE_SECONDS if self._position - before >= LOADED_STEP else PACE_SECONDS)
                    if not self._lag:
                        await self.hint.within(BUSY_SECONDS if quiet < BUSY_STEPS else IDLE_SECONDS)
                except NotTheEnd:
                    await asyncio.sleep(STANDBY_SECONDS)
                except StreamAway as error:
                    self._observe(Published(self._position, 0, 0.0, away=True))
                    away += 1
                    if away == AWAY_TOLD:
                        log.warning("publisher_waits_for_nats", reason=str(error))
                    await asyncio.sleep(AWAY_SECONDS)
                except Halted as error:
                    self._observe(Published(self._position, 0, 0.0, halted=str(error)))
                    if told != (told := str(error)):
                        log.error("publisher_halted", reason=str(error))  # noqa: TRY400 - where it was raised tells nobody anything
                    await asyncio.sleep(HALTED_SECONDS)
        finally:
            await self.close()

    async def step(self) -> bool:
        """Send what follows the stream's end; False when there is nothing.

        Raises NotTheEnd, StreamAway, Halted, StoreUnavailable, LogBroken. After an error the next step begins by asking
        for the stream's end again.
        """
        began = perf_counter()
        try:
            stream = self._stream or await self._open()
            page = await self._following(stream)
            if page is None:
                self._stream = None
                return True
            events = page.events[1:] if self._position else page.events
            for batch in _batches(self._written(events, page.epoch)):
                await stream.append(self._position, batch)
                self._position += len(batch)
            self._last = page.events[-1].event_id if page.events else None
        except BaseException:
            self._stream = None
            raise
        age = (datetime.now(UTC) - events[0].recorded_at).total_seconds() if events else 0.0
        self._lag = max(0, page.size - self._position)
        correlations = frozenset(event.correlation_id for event in events)
        self._observe(
            Published(
                self._position, self._lag, max(0.0, age),
                events=len(events), seconds=perf_counter() - began, correlations=correlations,
            )
        )  # fmt: skip
        return bool(events)

    async def _following(self, stream: EventStream) -> LogPage | None:
        """Read on from the last event sent, that one included: a database that lost commits and wrote others in their place shows there.

        None when the log is of another epoch now.
        """
        page = await self._reader.read(max(0, self._position - 1), MOST_EVENTS)
        if page.epoch != stream.epoch:
            return None
        if page.size < self._position:
            raise Halted(f"the stream {stream.name} ends at {self._position}, the log at {page.size}")
        if self._position and page.events[0].event_id != self._last:
            raise Halted(f"the stream {stream.name} has another event at {self._position} than the log")
        return page

    async def close(self) -> None:
        await self._reader.close()

    async def _open(self) -> EventStream:
        """Find the end of this epoch's stream, and see that it agrees with the log."""
        size = await self._reader.size()
        stream = EventStream(self._client, epoch=size.epoch, name=self._name, root=self._root, replicas=self._replicas)
        try:
            end = await stream.open()
        except msgspec.MsgspecError as error:
            raise Halted(f"the last message of the stream {stream.name} is none of ours") from error
        # The stream is looked at after the log, so another publisher may have sent what is younger than our look.
        if end.sequence > size.size and end.sequence > (size := await self._reader.size()).size:
            raise Halted(f"the stream {stream.name} ends at {end.sequence}, the log at {size.size}")
        self._stream, self._position, self._last = stream, end.sequence, end.event_id
        if end.sequence and end.event_id is None:  # it was removed by hand, or its time was over: trust the number
            (event,) = (await self._reader.read(end.sequence - 1, 1)).events
            self._last = event.event_id
        self._observe(Published(end.sequence, size.size - end.sequence, 0.0))
        return stream

    def _written(self, events: Sequence[StoredEvent], epoch: int) -> list[Outgoing]:
        try:
            return [outgoing(event, epoch=epoch, root=self._root) for event in events]
        except UnknownEventTag as error:
            raise Halted(str(error)) from error


def _batches(messages: Sequence[Outgoing]) -> list[list[Outgoing]]:
    """Cut to what one atomic batch may hold, by number and by bytes."""
    batches: list[list[Outgoing]] = []
    size = 0
    for message in messages:
        if not batches or len(batches[-1]) == MOST_IN_BATCH or size + len(message.body) > MOST_BYTES:
            batches.append([])
            size = 0
        batches[-1].append(message)
        size += len(message.body)
    return batches
