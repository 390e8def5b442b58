"""Keeps one process's counters and everybody's alike, in the background. While the store is away each process counts alone."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

import structlog

from adapters.limits.counters import Counter, Counters
from adapters.postgres import StatementRefused
from domain.errors import StoreUnavailable

EVERY_SECONDS = 0.2
"""How old what one process knows of the others may be: on average half of it."""
HURRIED_SECONDS = 0.02
"""The same for a key that is using up its limit just now."""
AWAY_SECONDS = 1.0
MOST_AT_ONCE = 512


class Totals(Protocol):
    """What all processes have let in."""

    async def exchange(self, told: Sequence[tuple[Counter, int]]) -> Sequence[Sequence[float]]: ...


class Exchanger:
    """`shared` says whether the others were heard the last time there was something to tell."""

    def __init__(self, counters: Counters, totals: Totals, *, observe: Callable[[bool], None] = lambda _shared: None) -> None:
        self.shared = True
        self._counters = counters
        self._totals = totals
        self._observe = observe
        self._hurry = asyncio.Event()
        counters.hurry = self._hurry.set

    async def run(self) -> None:
        """Exchange until cancelled."""
        while True:
            await self._pause()
            await self.step()

    async def step(self) -> None:
        """Tell the others what was let in since the last time, and learn what they let in. Never raises for a store that is away."""
        told = self._counters.take_pending(MOST_AT_ONCE)
        if not told:
            return
        try:
            backlogs = await self._totals.exchange(told)
        except (StoreUnavailable, StatementRefused) as error:
            self._counters.put_back(told)
            self._note(shared=False, error=error)
            return
        now = self._counters.clock()
        for (counter, _), backlog in zip(told, backlogs, strict=True):
            counter.learn(backlog, now)
        self._note(shared=True)

    async def _pause(self) -> None:
        if not self.shared:
            await asyncio.sleep(AWAY_SECONDS)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(EVERY_SECONDS):
                await self._hurry.wait()
                await asyncio.sleep(HURRIED_SECONDS)
        self._hurry.clear()

    def _note(self, *, shared: bool, error: Exception | None = None) -> None:
        if shared == self.shared:
            return
        self.shared = shared
        self._observe(shared)
        log = structlog.stdlib.get_logger()
        if shared:
            log.info("limits_shared_again")
        else:
            log.warning("limits_not_shared", error=type(error).__name__)
