"""Tells the metrics what is held back, which the projector only sees at the moment it happens."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from adapters.postgres import Link
from workers import metrics
from workers.standing import SQL

PAUSE_SECONDS = 5.0


class Surveyor:
    def __init__(self, url: str, *, observe: Callable[[], None] = lambda: None) -> None:
        self._link = Link(url)
        self._observe = observe

    async def run(self, stop: asyncio.Event) -> None:
        """Look every five seconds until `stop` is set. Raises StoreUnavailable: call it again then."""
        try:
            while not stop.is_set():
                await self.step()
                with suppress(TimeoutError):
                    async with asyncio.timeout(PAUSE_SECONDS):
                        await stop.wait()
        finally:
            await self._link.close()

    async def step(self) -> None:
        for row in await self._link.read(SQL["standings"]):
            if row["serving"]:
                metrics.PARKED.labels(row["name"]).set(row["parked"])
                metrics.PAUSED.labels(row["name"]).set(row["status"] != "live")
        self._observe()
