"""How fast commands become events: appends and head loads through the store, and what the sequencer takes of it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from uuid import uuid4

from adapters.event_store import PostgresEventStore
from adapters.random import SystemRandomness
from commands.ports import AppendResult, Commit, NewEvent, StreamWrite
from domain.ids import CommandId, CorrelationId, EventId, StreamName

PAYLOAD = b'{"at":"2026-01-01T00:00:00Z","type":"bench.happened.v1","value":"' + b"x" * 180 + b'"}'
STATE = b"s" * 400
_RANDOM = SystemRandomness()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Operations per second over the run; latencies in milliseconds."""

    per_second: float
    p50_ms: float
    p99_ms: float
    operations: int


def commit(stream: StreamName, expected: int) -> Commit:
    """A command with one event for one stream, its ids made as those of all commands are."""
    event = NewEvent(event_id=EventId(_RANDOM.uuid7()), type="bench.happened.v1", payload=PAYLOAD, key_id=None)
    return Commit(
        command_id=CommandId(_RANDOM.uuid7()),
        actor="system",
        session_id=None,
        correlation_id=CorrelationId(_RANDOM.uuid7()),
        causation_id=None,
        writes=(StreamWrite(stream=stream, expected=expected, events=(event,), state=STATE, state_version=1),),
    )


async def appends(store: PostgresEventStore, *, callers: int, seconds: float) -> Rate:
    """Let each caller append to a stream of its own, one command after another."""

    def caller(number: int) -> Callable[[], Awaitable[None]]:
        stream = StreamName(f"bench-{uuid4()}")
        version = 0

        async def once() -> None:
            nonlocal version
            answer = await store.append(commit(stream, version))
            if answer.result is not AppendResult.DONE:
                raise AssertionError(f"caller {number} has its stream for itself, yet {answer.result}")
            version += 1

        return once

    return await run([caller(n) for n in range(callers)], seconds)


async def loads(store: PostgresEventStore, streams: Sequence[StreamName], *, callers: int, seconds: float) -> Rate:
    """Let each caller load two heads at a time, as a check of a session does."""

    def caller(number: int) -> Callable[[], Awaitable[None]]:
        pair = (streams[number % len(streams)], streams[(number + 1) % len(streams)])

        async def once() -> None:
            await store.load(pair)

        return once

    return await run([caller(n) for n in range(callers)], seconds)


async def paced_appends(store: PostgresEventStore, *, per_second: int, seconds: float) -> Rate:
    """Append at a steady rate to 256 streams, and see how long each takes."""
    versions = {StreamName(f"bench-{uuid4()}"): 0 for _ in range(256)}
    streams = list(versions)
    taken: list[float] = []

    async def one(stream: StreamName) -> None:
        began = perf_counter()
        await store.append(commit(stream, versions[stream]))
        versions[stream] += 1
        taken.append(perf_counter() - began)

    began = perf_counter()
    async with asyncio.TaskGroup() as group:
        for n in range(int(per_second * seconds)):
            if (ahead := began + n / per_second - perf_counter()) > 0:
                await asyncio.sleep(ahead)
            group.create_task(one(streams[n % len(streams)]))
    return rate(taken, perf_counter() - began)


async def measure(url: str, *, seconds: float = 3.0) -> Mapping[str, Rate]:
    """Measure on an otherwise idle, migrated database; `url` is the serving role's."""
    store = PostgresEventStore(url)
    try:
        await appends(store, callers=16, seconds=0.5)
        figures = {f"append, {n} callers": await appends(store, callers=n, seconds=seconds) for n in (1, 16, 128)}
        figures["append at 1,000/s"] = await paced_appends(store, per_second=1000, seconds=seconds)
        streams = [StreamName(f"bench-{uuid4()}") for _ in range(1000)]
        await asyncio.gather(*(store.append(commit(stream, 0)) for stream in streams))
        for n in (1, 16, 64, 128):
            figures[f"load two heads, {n} callers"] = await loads(store, streams, callers=n, seconds=seconds)
        return figures
    finally:
        await store.close()


async def run(callers: Sequence[Callable[[], Awaitable[None]]], seconds: float) -> Rate:
    taken: list[float] = []
    began = perf_counter()
    until = began + seconds

    async def repeat(once: Callable[[], Awaitable[None]]) -> None:
        at = perf_counter()
        while at < until:
            await once()
            now = perf_counter()
            taken.append(now - at)
            at = now

    await asyncio.gather(*(repeat(once) for once in callers))
    return rate(taken, perf_counter() - began)


def rate(taken: Sequence[float], seconds: float) -> Rate:
    """Sum up how long each operation took, in seconds, over a run of `seconds`."""
    ordered = sorted(taken)
    return Rate(
        per_second=len(ordered) / seconds,
        p50_ms=ordered[len(ordered) // 2] * 1000,
        p99_ms=ordered[len(ordered) * 99 // 100] * 1000,
        operations=len(ordered),
    )
