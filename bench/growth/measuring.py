"""Measures authorities of several sizes beside one another, each call at every size in turns, since a machine changes its pace."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from statistics import median

from msgspec import Struct

from bench.growth.appends import append_rate
from bench.growth.calls import CALLS, Call
from bench.growth.disk import Relation, Walks, folder_bytes, relations, walks, walks_since
from bench.growth.filling import Filled
from bench.growth.locks import Waits, mixed_writes, refusals
from bench.growth.site import Site, open_site
from bench.load import Driver, drive
from bench.processes import cpu_seconds, proportional_mb
from bench.running import Running

PARTS = ("api", "workers", "postgres", "nats")
_TRIES = 5
COUNTED_S = 11.0
"""After which PostgreSQL's counters of what a resting process did are up to date."""
Told = Callable[[str], None]


class Scale(Struct, frozen=True, kw_only=True):
    """How much is measured. `sizes` are users, the smallest first, which is what the others are compared with."""

    sizes: tuple[int, ...]
    rounds: int
    seconds: float
    mixed_seconds: float
    starts: int
    people: int
    asked: int
    verified_up_to: int
    """Users of the largest authority that `audit verify` is run on in the end."""


FULL = Scale(
    sizes=(10_000, 100_000, 1_000_000), rounds=3, seconds=3.0, mixed_seconds=10.0, starts=3, people=48, asked=600, verified_up_to=100_000
)
QUICK = Scale(sizes=(150,), rounds=1, seconds=0.3, mixed_seconds=0.3, starts=1, people=6, asked=24, verified_up_to=150)


class Answered(Struct, frozen=True, kw_only=True):
    """One call at one size: medians of the rounds, each with its spread; refusals of all rounds; processor time of an answer."""

    p50_ms: float
    p99_ms: float
    rounds: tuple[float, ...]
    refused: int
    cpu_ms: float
    """Of the API and PostgreSQL together."""


class Measured(Struct, frozen=True, kw_only=True):
    """Everything of one size."""

    users: int
    filled: Filled
    start_s: float
    calls: Mapping[str, Answered]
    append_rate: float
    waits: Waits
    memory_idle: Mapping[str, float]
    memory: Mapping[str, float]
    relations: Sequence[Relation]
    stream_bytes: int
    """What NATS keeps of the log and the signals."""
    walks: Sequence[Walks]
    verified: str
    """What `minos audit verify` said in the end; empty where it was not run."""


@dataclass(slots=True)
class _Size:
    """One authority while it is measured."""

    filled: Filled
    running: Running
    starts: list[float] = field(default_factory=list[float])
    rounds: dict[str, list[tuple[float, float, int, float]]] = field(default_factory=dict[str, list[tuple[float, float, int, float]]])
    idle: Mapping[str, float] = field(default_factory=dict[str, float])
    site: Site | None = None
    relations: Sequence[Relation] = ()
    stream_bytes: int = 0

    @property
    def open(self) -> Site:
        assert self.site is not None
        return self.site

    def memory(self) -> Mapping[str, float]:
        return {part: proportional_mb(self.running.pid(part)) for part in PARTS}


async def measure(filled: Sequence[tuple[Filled, Running]], scale: Scale, told: Told, *, by: Driver = drive) -> Sequence[Measured]:
    """Start all authorities, which were filled and do not run, and measure them; they are stopped in the end."""
    sizes = [_Size(each, running) for each, running in filled]
    async with AsyncExitStack() as stopping:
        for size in sizes:
            told(f"starting with {size.filled.users:,} users")
            for turn in range(scale.starts):
                if turn:
                    await size.running.stop()
                await size.running.start()
                if not turn:
                    stopping.push_async_callback(size.running.stop)
                size.starts.append(size.running.start_s)
            await asyncio.sleep(min(3.0, scale.seconds))
            size.idle = size.memory()
            size.relations, size.stream_bytes = await relations(size.running.owner_url), folder_bytes(size.running.data / "nats")
            size.site = await open_site(size.running, size.filled.users, people=scale.people, asked=scale.asked)
        return await _measured(sizes, scale, told, by)


async def _measured(sizes: Sequence[_Size], scale: Scale, told: Told, by: Driver) -> Sequence[Measured]:
    before = [await walks(size.running.owner_url) for size in sizes]
    for round_ in range(scale.rounds):
        for call in CALLS:
            told(f"round {round_ + 1} of {scale.rounds}: {call.title}")
            turned = round_ % len(sizes)
            for size in (*sizes[turned:], *sizes[:turned]):
                await _ask(call, size, scale.seconds, by)
    waits: list[Waits] = []
    for size in sizes:
        told(f"mixed writes with {size.filled.users:,} users")
        waits.append(await mixed_writes(size.open, scale.mixed_seconds, by))
    told("looking at memory, disk and plans")
    await asyncio.sleep(min(COUNTED_S, scale.seconds * 4))
    walked = [walks_since(was, await walks(size.running.owner_url)) for was, size in zip(before, sizes, strict=True)]
    memories = [size.memory() for size in sizes]
    told("appends without pause")
    rates = [await append_rate(size.running.database_url, size.open.strangers, scale.seconds) for size in sizes]
    verified = [await _verified(size, scale, told) for size in sizes]
    return [
        Measured(
            users=size.filled.users, filled=size.filled, start_s=median(size.starts), calls=_answered(size), append_rate=rates[n],
            waits=waits[n], memory_idle=size.idle, memory=memories[n], relations=size.relations,
            stream_bytes=size.stream_bytes, walks=walked[n], verified=verified[n],
        )
        for n, size in enumerate(sizes)
    ]  # fmt: skip


async def _ask(call: Call, size: _Size, seconds: float, by: Driver) -> None:
    """One round of one call at one size. Where nothing was answered, as on a machine that others keep from hashing, it is asked again.

    Raises RuntimeError when that does not help.
    """
    refused, said = 0, {}
    for _ in range(_TRIES):
        await size.open.renew()
        plan = await call.plan(size.open, seconds)
        before = _cpu(size)
        tally = await by(plan)
        cpu = (_cpu(size) - before) / max(plan.per_second * (plan.seconds + plan.warm_up), 1)
        refused, said = refused + refusals(tally), tally.statuses
        if tally.answers:
            size.rounds.setdefault(call.key, []).append((tally.p50_ms, tally.p99_ms, refused, cpu * 1000))
            return
    raise RuntimeError(f"{call.title}: answers were {said}")


def _cpu(size: _Size) -> float:
    return sum(cpu_seconds(size.running.pid(part)) for part in ("api", "postgres"))


def _answered(size: _Size) -> Mapping[str, Answered]:
    return {
        key: Answered(
            p50_ms=median(p50 for p50, _, _, _ in rounds),
            p99_ms=median(p99 for _, p99, _, _ in rounds),
            rounds=tuple(p50 for p50, _, _, _ in rounds),
            refused=sum(refused for _, _, refused, _ in rounds),
            cpu_ms=median(cpu for _, _, _, cpu in rounds),
        )
        for key, rounds in size.rounds.items()
    }


async def _verified(size: _Size, scale: Scale, told: Told) -> str:
    """Raises RuntimeError for a log in which something is found."""
    if size.filled.users > scale.verified_up_to:
        return ""
    told(f"audit verify with {size.filled.users:,} users")
    done = await size.running.minos("audit", "verify", within=600)
    if done.code:
        raise RuntimeError(f"audit verify found something:\n{done.out}{done.err}")
    return done.out.strip()
