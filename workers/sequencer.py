"""Gives every committed event its position, and keeps partitions ahead of the writers.

Any number may run: a step takes one row with SKIP LOCKED and ends with its transaction. Killed between commit and step,
events are there without positions; the next step, of whoever comes, gives them.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import perf_counter

import structlog
from msgspec import Struct

from adapters.postgres import Link
from adapters.postgres_sql import statements
from domain.errors import StoreUnavailable

SQL = statements(Path(__file__).with_suffix(".sql"))

BUSY_SECONDS = 0.005
LOADED_SECONDS = 0.015
LOADED_STEP = 60
"""A step that found so many events, a rate above 10,000/s, is followed by a longer pause: each step is a flush to disk."""

IDLE_SECONDS = 0.1
"""How long a hint is waited for. Where events are found that none announced, it looks again at the busy pace for as long as there are."""

PARTITION_SECONDS = 10.0
STEP_SECONDS = 30.0
LONGEST_PAUSE_SECONDS = 2.0
FOREIGN = -1

log = structlog.stdlib.get_logger()


class ForeignLog(Exception):
    """The log came from another cluster, by a restore: its snapshot says nothing here. `epochs.open_epoch` goes on from there."""


class Step(Struct, frozen=True, kw_only=True):
    """`added` positions were given now; the log then had `size`. The step took `seconds`."""

    added: int
    size: int
    epoch: int
    seconds: float


def _unobserved(_: Step) -> None:
    pass


class Sequencer:
    """One sequencer over one connection. Set `hint` when something was committed; `observe` hears of every step."""

    def __init__(
        self,
        url: str,
        *,
        hint: asyncio.Event | None = None,
        observe: Callable[[Step], None] = _unobserved,
        prepared: bool = True,
    ) -> None:
        self._link = Link(url, prepared=prepared, seconds=STEP_SECONDS)
        self.hint = asyncio.Event() if hint is None else hint
        self._observe = observe

    async def step(self) -> Step | None:
        """Give positions to what was committed; None when another sequencer is at it. Raises StoreUnavailable, ForeignLog."""
        began = perf_counter()
        ((added, size, epoch),) = await self._link.fetch(SQL["step"])
        if added is None:
            return None
        if added == FOREIGN:
            raise ForeignLog("the log was restored from another cluster: nothing is sequenced before `minos log open-epoch`")
        step = Step(added=added, size=size, epoch=epoch, seconds=perf_counter() - began)
        self._observe(step)
        return step

    async def ensure_partitions(self) -> int:
        """Make the partitions that are missing ahead of the writers, and give how many that were."""
        ((made,),) = await self._link.fetch(SQL["ensure_partitions"])
        if made:
            log.info("partitions_made", count=made)
        return int(made)

    async def run(self, stop: asyncio.Event) -> None:
        """Step until `stop` is set. Survives Postgres being away; raises ForeignLog, after which only an operator goes on."""
        pause, unannounced, partitions_at = BUSY_SECONDS, False, 0.0
        try:
            while not stop.is_set():
                self.hint.clear()
                try:
                    if perf_counter() >= partitions_at:
                        await self.ensure_partitions()
                        partitions_at = perf_counter() + PARTITION_SECONDS
                    step = await self.step()
                except StoreUnavailable:
                    pause = min(max(2 * pause, IDLE_SECONDS), LONGEST_PAUSE_SECONDS)
                    log.warning("sequencer_waits_for_postgres", seconds=pause)
                    await _wait(stop, pause)
                    continue
                pause = BUSY_SECONDS
                await asyncio.sleep(BUSY_SECONDS if step is None or step.added < LOADED_STEP else LOADED_SECONDS)
                if not (unannounced and step is not None and step.added):
                    unannounced = not await _wait(self.hint, IDLE_SECONDS)
        finally:
            await self._link.close()

    async def close(self) -> None:
        await self._link.close()


async def _wait(event: asyncio.Event, seconds: float) -> bool:
    """Tell whether it came in time."""
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()
