"""Waiting until the rows have every signal of what is committed by now: once for all who ask at a time."""

import asyncio

from msgspec import Struct

from adapters.signal_rows import SignalRows
from domain.errors import StoreUnavailable

WAIT_SECONDS = 1.0
"""Signals are told some tens of milliseconds after what they are of. Where they take longer than this, that is said instead."""
LOOK_SECONDS = 0.01


class Now(Struct, frozen=True):
    """When somebody asked, and up to when the rows have everything: by the database's clock, in microseconds since 1970, 0 where nobody can
    tell. `began`: that moment by the loop's clock, in seconds."""

    began: float
    asked_at: int
    complete_to: int


class SignalsNow:
    """Of one process."""

    def __init__(self, rows: SignalRows) -> None:
        self._rows = rows
        self._one = asyncio.Lock()
        self._last: Now | None = None
        self._away_at = float("-inf")

    async def wait(self) -> Now:
        """Wait until the rows have what is committed by now, or for a second.

        Raises StoreUnavailable: what was found out since somebody asked holds for them too.
        """
        loop = asyncio.get_running_loop()
        wanted_at = loop.time()
        async with self._one:
            if self._away_at >= wanted_at:
                raise StoreUnavailable
            if self._last is None or self._last.began < wanted_at:
                began = loop.time()
                try:
                    self._last = await self._wait()
                except StoreUnavailable:
                    self._away_at = began
                    raise
            return self._last

    async def _wait(self) -> Now:
        """What was found to be complete first is waited for: where much goes on, there is always something newer to wait for."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        seen = awaited = await self._rows.completeness()
        asked_at, complete_to = seen.asked_at, 0
        while True:
            if awaited.complete_to < asked_at:
                awaited = seen
            if seen.has(awaited):
                complete_to = awaited.complete_to
            if complete_to >= asked_at or loop.time() - began > WAIT_SECONDS:
                return Now(began, asked_at, complete_to)
            await asyncio.sleep(LOOK_SECONDS)
            seen = await self._rows.completeness()
