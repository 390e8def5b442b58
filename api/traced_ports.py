"""What a command waits for, as steps of its request's trace: the event store, and the hashing of passwords.

The spans are around the command's own wait. What is sent to Postgres goes together for many requests, and belongs to none of them.
"""

from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import replace
from uuid import UUID

from adapters.hashing.queue import HashMetrics, HashRefusal
from adapters.telemetry.spans import Spans, Step
from commands.ports import Appended, ClaimMac, Commit, EventStore, Heads, Holding, PasswordHasher, Ports, StoredEvent, Unusable, Verified
from domain.ids import StreamName

_HASHING: ContextVar[Step | None] = ContextVar("hashing", default=None)
"""The hash this request waits for."""


def traced(ports: Ports, spans: Spans) -> Ports:
    """Give the same ports, with steps of the trace for two of them. `HashSpans` has to be the hasher's metrics."""
    return replace(ports, store=TracedStore(ports.store, spans), hasher=TracedHasher(ports.hasher, spans))


class TracedStore:
    """commands.ports.EventStore. How many is told, never which: a stream is named after a person."""

    def __init__(self, store: EventStore, spans: Spans) -> None:
        self._store = store
        self._spans = spans

    async def load(self, streams: Sequence[StreamName]) -> Heads:
        with self._step("load", "heads", streams=len(streams)):
            return await self._store.load(streams)

    async def append(self, commit: Commit) -> Appended:
        events = sum(len(write.events) for write in commit.writes)
        with self._step("append", "events", streams=len(commit.writes), events=events) as step:
            step.span.set_attribute("minos.correlation_id", str(commit.correlation_id))
            outcome = await self._store.append(commit)
            step.span.set_attribute("minos.append.result", outcome.result.value)
            return outcome

    async def read_stream(self, stream: StreamName, after_version: int = 0) -> Sequence[StoredEvent]:
        with self._step("read", "stream", streams=1) as step:
            events = await self._store.read_stream(stream, after_version)
            step.span.set_attribute("minos.events", len(events))
            return events

    async def find_holder(
        self, candidates: Sequence[ClaimMac], *, categories: Sequence[str] = (), also: Sequence[StreamName] = ()
    ) -> Holding:
        with self._step("find", "holder", streams=len(categories) + len(also)):
            return await self._store.find_holder(candidates, categories=categories, also=also)

    async def names_of(self, claims: Sequence[StreamName]) -> Sequence[tuple[ClaimMac, StreamName]]:
        return await self._store.names_of(claims)

    async def find_outcome(self, key: bytes, *, capped: str | None = None) -> tuple[bytes, bytes] | None:
        with self._step("find", "outcome"):
            return await self._store.find_outcome(key, capped=capped)

    def _step(self, operation: str, target: str, **counts: int) -> AbstractContextManager[Step]:
        attributes: dict[str, str | int] = {"db.system.name": "postgresql", "db.operation.name": operation}
        attributes.update((f"minos.{what}", n) for what, n in counts.items())
        return self._spans.step(f"{operation} {target}", attributes, to_database=True)


class TracedHasher:
    """commands.ports.PasswordHasher. Two steps each: the wait for a thread, and the hash on it."""

    def __init__(self, hasher: PasswordHasher, spans: Spans) -> None:
        self._hasher = hasher
        self._spans = spans

    def require_room(self, *, network: str | None = None) -> None:
        self._hasher.require_room(network=network)

    async def hash(self, password: str, *, network: str | None = None) -> str:
        with self._steps():
            return await self._hasher.hash(password, network=network)

    async def verify(
        self, encoded: str | None, password: str, *, account: UUID | None = None, network: str | None = None, alike: bool = False
    ) -> Verified:
        with self._steps():
            return await self._hasher.verify(encoded, password, account=account, network=network, alike=alike)

    def unusable(self, encoded: str) -> Unusable | None:
        return self._hasher.unusable(encoded)

    @contextmanager
    def _steps(self) -> Generator[None]:
        with self._spans.step("wait for hasher") as step:
            before = _HASHING.set(step)
            try:
                yield
            finally:
                _HASHING.reset(before)


class HashSpans:
    """adapters.hashing.queue.HashMetrics, that also knows whose turn it is: the queue tells it in the context of who waited."""

    def __init__(self, metrics: HashMetrics) -> None:
        self._metrics = metrics

    def queued(self, depth: int) -> None:
        self._metrics.queued(depth)

    def started(self, waited: float) -> None:
        self._metrics.started(waited)
        if (step := _HASHING.get()) is not None:
            step.then("hash password")

    def finished(self, took: float) -> None:
        self._metrics.finished(took)

    def refused(self, why: HashRefusal) -> None:
        self._metrics.refused(why)
