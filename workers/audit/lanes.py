"""All streams folded, by several processes where there are many: ranges of them, the next one taken by whoever is free."""

import asyncio
import signal
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

import uvloop
from msgspec import Struct

from adapters.cycles import no_search_for_cycles
from adapters.orphaned import die_with_parent
from workers.audit.announced import Announced
from workers.audit.findings import Findings
from workers.audit.folds import Folded, Folds
from workers.audit.stream_pages import Between, StreamSource


class Done(Struct):
    """What came of a range of streams, with so many events."""

    folded: Folded
    findings: Findings
    events: int


class Lanes:
    """`url` may hold a password: it goes to the other processes through a pipe. `progress` is told how many events are folded."""

    def __init__(self, url: str, said: Announced, progress: Callable[[int], None]) -> None:
        self._url = url
        self._said = said
        self._progress = progress
        self._events = 0
        self._waiting: deque[tuple[int, Between]] = deque()
        self._done: dict[int, Done] = {}

    async def all(self, source: StreamSource, findings: Findings, *, processes: int, streams: int) -> Folded:
        """Fold everything, about so many streams at a time. Raises what asyncpg does."""
        self._waiting.extend(enumerate(await source.ranges(streams)))
        with _others(min(processes, len(self._waiting)) - 1) as others:
            helped = [asyncio.create_task(self._elsewhere(others)) for _ in range(processes - 1)]
            try:
                await self._here(source)
                await asyncio.gather(*helped)
                await self._here(source)  # what they could not
            finally:
                for each in helped:
                    each.cancel()
                await asyncio.gather(*helped, return_exceptions=True)
        total = Folded()
        for _, done in sorted(self._done.items()):
            total.add(done.folded)
            findings.include(done.findings)
        await Folds(source, self._said, findings).strays()
        return total

    async def _here(self, source: StreamSource) -> None:
        while self._waiting:
            number, between = self._waiting.popleft()
            self._done[number] = await _folded(source, self._said, between, self._advance)

    async def _elsewhere(self, pool: ProcessPoolExecutor) -> None:
        """Have another process fold, while it can. What it cannot is left to us: we raise what there is to be raised."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            number, between = self._waiting.popleft()
            try:
                done = await loop.run_in_executor(pool, fold, self._url, self._said, between)
            except BrokenExecutor:
                done = None
            if done is None:
                self._waiting.append((number, between))
                return
            self._done[number] = done
            self._advance(done.events)

    def _advance(self, events: int) -> None:
        self._events += events
        self._progress(self._events)


def fold(url: str, said: Announced, between: Between) -> Done | None:
    """In another process: fold these streams over a connection of its own. None when that failed, for whatever reason."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, no_search_for_cycles():
        try:
            return runner.run(_connected(url, said, between))
        except Exception:  # noqa: BLE001 - not everything that is raised survives the way back; it comes again where it is tried again
            return None


async def _connected(url: str, said: Announced, between: Between) -> Done:
    source = await StreamSource.open(url)
    try:
        return await _folded(source, said, between, lambda _: None)
    finally:
        await source.close()


async def _folded(source: StreamSource, said: Announced, between: Between, progress: Callable[[int], None]) -> Done:
    findings = Findings()
    folds = Folds(source, said, findings)
    events = await folds.between(between, progress)
    return Done(folds.folded, findings, events)


@contextmanager
def _others(count: int) -> Generator[ProcessPoolExecutor]:
    """Give up to so many other processes, each started when there is something for it: new ones, since a copy of a running loop is none."""
    pool = ProcessPoolExecutor(max(count, 1), mp_context=get_context("spawn"), initializer=_begin)
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _begin() -> None:
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever presses Ctrl-C means the command
