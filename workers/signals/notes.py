"""Notes what NATS has acknowledged beside the sending: the row it is noted in is held by the fold while that is flushed to disk."""

import asyncio
from contextlib import suppress

from domain.signals.facts import SignalClass
from workers.signals.due import Acknowledged
from workers.signals.outbox import Outbox

PACE_SECONDS = 0.1
"""What is acknowledged in between is noted together."""


class Notes:
    """The newest of each class is written; what is lost is sent again."""

    def __init__(self, url: str) -> None:
        self._outbox = Outbox(url)
        self._waiting: dict[SignalClass, Acknowledged] = {}
        self._writing: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()

    def put(self, acknowledged: Acknowledged) -> None:
        """Raises StoreUnavailable where the last one could not be written."""
        self._waiting[acknowledged.of_class] = acknowledged
        if self._writing is None or self._writing.done():
            if self._writing is not None:
                self._writing.result()
            self._hurry.clear()
            self._writing = asyncio.create_task(self._write(), name="signals noted")

    async def written(self) -> None:
        """Write what waits, at once. Raises StoreUnavailable."""
        self._hurry.set()
        if self._writing is not None:
            await self._writing

    async def close(self) -> None:
        """Write what waits, if that is to be had."""
        self._hurry.set()
        if self._writing is not None:
            await asyncio.wait([self._writing])
            if not self._writing.cancelled():
                self._writing.exception()
        await self._outbox.close()

    async def _write(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting, {}
            await self._outbox.note(taken.values())
            with suppress(TimeoutError):
                async with asyncio.timeout(PACE_SECONDS):
                    await self._hurry.wait()
