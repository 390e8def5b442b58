"""What the sequencer takes of the appends' rate, and how soon a commit has its position."""

import asyncio
import multiprocessing
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from statistics import median
from time import perf_counter
from uuid import uuid4

from adapters.event_store import PostgresEventStore
from adapters.log_reader import LogReader
from bench.append import Rate, appends, commit, rate
from domain.ids import EventId, StreamName
from workers.sequencer import Sequencer, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Appends per second beside a sequencer divided by those without, each round against its two neighbours."""

    rounds: Sequence[float]

    @property
    def ratio(self) -> float:
        return median(self.rounds)


async def sequencer_cost(url: str, *, callers: int = 128, seconds: float = 2.0, rounds: int = 5) -> Cost:
    """What a sequencer takes, in a process of its own."""

    async def caught_up() -> None:
        await asyncio.sleep(1.5)  # it starts, and catches up with what the round before has written

    return await cost_beside(url, lambda: begun(sequence, url), caught_up, callers=callers, seconds=seconds, rounds=rounds)


async def cost_beside(
    url: str, begin: Callable[[], BaseProcess], caught_up: Callable[[], Awaitable[None]], *, callers: int, seconds: float, rounds: int
) -> Cost:
    """Compare the appends' rate in one run: without a process, beside it, without."""
    store = PostgresEventStore(url)
    ratios: list[float] = []
    try:
        await appends(store, callers=callers, seconds=seconds / 2)
        alone = (await appends(store, callers=callers, seconds=seconds)).per_second
        for _ in range(rounds):
            child = begin()
            await caught_up()
            beside = (await appends(store, callers=callers, seconds=seconds)).per_second
            await ended(child)
            after = (await appends(store, callers=callers, seconds=seconds)).per_second
            ratios.append(beside / ((alone + after) / 2))
            alone = after
    finally:
        await store.close()
    return Cost(rounds=ratios)


def begun(what: Callable[..., None], *arguments: object) -> BaseProcess:
    child = multiprocessing.get_context("spawn").Process(target=what, args=arguments, daemon=True)
    child.start()
    return child


async def ended(child: BaseProcess) -> None:
    child.terminate()
    await asyncio.to_thread(child.join, 10)


async def commit_to_sequenced(url: str, *, per_second: int = 1000, seconds: float = 5.0) -> Rate:
    """Append at a steady rate; measure from an append's answer to the end of the step that gave its event a position."""
    store, reader, stop = PostgresEventStore(url), LogReader(url), asyncio.Event()
    answered: dict[EventId, float] = {}
    steps: list[tuple[int, float]] = []

    def observe(step: Step) -> None:
        if step.added:
            steps.append((step.size, perf_counter()))

    sequencer = Sequencer(url, observe=observe)
    before = await sequencer.step()
    start = 0 if before is None else before.size
    running = asyncio.create_task(sequencer.run(stop))

    def hear(event_id: EventId) -> None:
        answered[event_id] = perf_counter()
        sequencer.hint.set()  # as the server does after each command

    await _append_steadily(store, hear, int(per_second * seconds), per_second)
    await asyncio.sleep(0.3)
    stop.set()
    await running
    taken: list[float] = []
    upcoming = iter(steps)
    size, at = next(upcoming)
    for event in (await reader.read(start, len(answered))).events:
        while event.position is not None and size < event.position:
            size, at = next(upcoming)
        taken.append(max(0.0, at - answered[event.event_id]))
    await asyncio.gather(store.close(), reader.close())
    return rate(taken, seconds)


async def _append_steadily(store: PostgresEventStore, hear: Callable[[EventId], None], count: int, per_second: int) -> None:
    async def one() -> None:
        made = commit(StreamName(f"bench-{uuid4()}"), 0)
        await store.append(made)
        hear(made.writes[0].events[0].event_id)

    began = perf_counter()
    async with asyncio.TaskGroup() as group:
        for n in range(count):
            if (ahead := began + n / per_second - perf_counter()) > 0:
                await asyncio.sleep(ahead)
            group.create_task(one())


def sequence(url: str) -> None:
    asyncio.run(Sequencer(url).run(asyncio.Event()))
