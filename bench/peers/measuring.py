"""One target in one round: its hash, its start, its operations under load, its memory."""

import asyncio
import time
from collections.abc import Callable, Sequence

from msgspec import Struct

from bench.load import Plan, drive
from bench.peers.kinds import Kind, begun
from bench.peers.pace import Pace
from bench.peers.results import Checked, Measured, Results, Served
from bench.peers.target import SLOW, Place, Target
from bench.processes import cpu_seconds, cpu_seconds_of, resident_mb


class Amount(Struct, frozen=True, kw_only=True):
    rounds: int
    seconds: float
    """Of each operation; twice as long where passwords are hashed."""
    warm_up: float
    connections: int
    few: int
    """Connections where passwords are hashed."""
    hashes: int
    quiet: float
    """Seconds from the start to the look at a server that does nothing."""
    writers: int
    projected: int
    """Events in a log that is read and projected."""


FULL = Amount(rounds=3, seconds=6.0, warm_up=1.5, connections=32, few=8, hashes=15, quiet=2.0, writers=16, projected=20_000)
QUICK = Amount(rounds=1, seconds=0.5, warm_up=0.2, connections=4, few=2, hashes=2, quiet=0.1, writers=16, projected=1_000)


class Measuring(Struct, frozen=True, kw_only=True):
    """What is measured how much, with the core's pace beside it; `told` hears what is being done."""

    amount: Amount
    pace: Pace
    results: Results
    told: Callable[[str], None]


class Driven(Struct, frozen=True, kw_only=True):
    """A running target and what is asked of it."""

    name: str
    target: Target
    operation: str
    round: int


async def measure(kind: Kind, operations: Sequence[str], place: Place, number: int, measuring: Measuring) -> None:
    """Measure one target in round `number`. Raises what kept it from serving."""
    target, amount, results = begun(kind, place), measuring.amount, measuring.results
    measuring.told("start")
    async with target:
        await asyncio.sleep(amount.quiet)
        idle_mb = _memory(target)
        measuring.told("people")
        await target.prepare(amount.connections)
        for operation in operations:
            measuring.told(operation)
            driven = Driven(name=kind.name, target=target, operation=operation, round=number)
            results.measured.append(await _measured(driven, place, measuring))
        served = Served(target=kind.name, round=number, start_s=target.start_s, idle_mb=idle_mb, loaded_mb=_memory(target))
        results.served.append(served)
    if "sign_in" in operations and (hashed := await target.bare_hash(amount.hashes)) is not None:
        results.checked.append(Checked(target=kind.name, round=number, hashed=hashed))


async def _measured(driven: Driven, place: Place, measuring: Measuring) -> Measured:
    amount, slow, target = measuring.amount, driven.operation in SLOW, driven.target
    work = target.work(driven.operation, amount.few if slow else amount.connections)
    plan = Plan(
        port=target.port, requests=work.requests, tokens=work.tokens, holds=work.holds,
        seconds=amount.seconds * (2 if slow else 1), warm_up=amount.warm_up,
    )  # fmt: skip
    before, began = _cpu(target, place), time.monotonic()
    tally = await drive(plan)
    after, ended = _cpu(target, place), time.monotonic()
    cpu_ms = {part: 1_000 * (after[part] - before[part]) / max(1, tally.in_all) for part in before}
    return Measured(
        target=driven.name, operation=driven.operation, round=driven.round,
        per_second=tally.per_second, p50_ms=tally.p50_ms, p99_ms=tally.p99_ms, answers=tally.answers,
        failed={status: n for status, n in tally.statuses.items() if not status.startswith("2")},
        cpu_ms=cpu_ms, other_core=tally.own_cpu + tally.per_second * cpu_ms["postgres"] / 1_000,
        pace=measuring.pace.between(began, ended),
    )  # fmt: skip


def _cpu(target: Target, place: Place) -> dict[str, float]:
    taken = {part: cpu_seconds_of(pids) for part, pids in target.parts().items()}
    return taken | {"postgres": cpu_seconds(place.postgres.pid or 0)}


def _memory(target: Target) -> float:
    return sum(resident_mb(pid) for pids in target.parts().values() for pid in pids)
