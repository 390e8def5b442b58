"""The log for readers outside: pages of it, and waiting until it has grown."""

import asyncio
from contextlib import suppress

from adapters.log_reader import SQL, LogPage, page_of
from adapters.postgres_links import Links
from domain.errors import StoreUnavailable

CONNECTIONS = 2
"""Of a process: however many follow the log, they take no more of the database than that."""
LOOK_SECONDS = 0.025
"""Between two looks at the size of the log, while anybody waits for it."""


class EventFeed:
    """One look at the log's size serves all who wait for it, and nobody looks while nobody waits."""

    def __init__(self, url: str, leaving: asyncio.Event) -> None:
        """Nobody waits any longer once `leaving` is set."""
        self._leaving = leaving
        self._links = Links(url, size=CONNECTIONS)
        self._waiting: dict[asyncio.Future[None], int] = {}
        self._looking: asyncio.Task[None] | None = None

    async def page(self, after: int, limit: int) -> LogPage:
        """Give at most `limit` positions following `after`; nothing of a log that is shorter. Raises StoreUnavailable, LogBroken."""
        return page_of(await self._links.read(SQL["read_log"], after, limit), after, limit)

    async def beyond(self, position: int, seconds: float) -> None:
        """Return once the log is larger than `position`, the time is up, or Postgres is away."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting[turn] = position
        if self._looking is None:
            self._looking = asyncio.create_task(self._look(), name="event feed")
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await turn
        finally:
            del self._waiting[turn]

    async def aclose(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking
        self._wake(None)
        await self._links.close()

    async def _look(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(LOOK_SECONDS)
                if self._leaving.is_set():
                    self._wake(None)
                    continue
                try:
                    (row,) = await self._links.read(SQL["log_size"])
                except StoreUnavailable:
                    self._wake(None)  # their next page says so
                else:
                    self._wake(row[0])
        finally:
            self._looking = None

    def _wake(self, size: int | None) -> None:
        """Wake who waits for less than that; everybody where nobody knows."""
        for turn, position in self._waiting.items():
            if not turn.done() and (size is None or size > position):
                turn.set_result(None)
