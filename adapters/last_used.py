"""When something was last used, kept in memory and written down every few seconds: a request costs one entry in a dict."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from itertools import islice
from pathlib import Path

import structlog

from adapters.postgres_links import Links
from adapters.postgres_sql import statements
from domain.errors import StoreUnavailable
from domain.ids import StreamName

SQL = statements(Path(__file__).with_suffix(".sql"))
EVERY_S = 5.0
GRAIN_S = 60
"""A use within so many seconds of the one that is written is not written."""
BATCH = 2_000
MOST = 100_000
"""Streams in memory while the database is away; uses of further ones are not kept."""


class PostgresLastUsed:
    """commands.ports.LastUsed. A process that is killed forgets the uses of the last seconds."""

    def __init__(self, links: Links, *, grain: int = GRAIN_S) -> None:
        self._links = links
        self._grain = grain
        self._pending: dict[StreamName, datetime] = {}

    def note(self, stream: StreamName, *, at: datetime) -> None:
        known = self._pending.get(stream)
        if known is None:
            if len(self._pending) < MOST:
                self._pending[stream] = at
        elif at > known:
            self._pending[stream] = at

    async def of(self, streams: Sequence[StreamName]) -> Mapping[StreamName, datetime]:
        rows = await self._links.read(SQL["read"], list(streams))
        known = {StreamName(stream): at for stream, at in rows}
        here = {stream: self._pending[stream] for stream in streams if stream in self._pending}
        return known | {stream: max(at, known.get(stream, at)) for stream, at in here.items()}

    async def flush(self) -> None:
        """Write down what was noted. Raises StoreUnavailable; then what was not written is still noted."""
        noted = iter(list(self._pending.items()))  # what comes meanwhile is of the next round, or there would be no end
        while batch := dict(islice(noted, BATCH)):
            await self._links.read(SQL["keep"], list(batch), list(batch.values()), self._grain)
            for stream, at in batch.items():
                if self._pending.get(stream) == at:
                    del self._pending[stream]

    @asynccontextmanager
    async def kept(self) -> AsyncGenerator[None]:
        """Write down every few seconds for as long as the block runs, and once more in the end."""
        keeping = asyncio.create_task(self._keep(), name="last used")
        try:
            yield
        finally:
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping
            with suppress(StoreUnavailable):
                await self.flush()

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.flush()
            except StoreUnavailable as error:  # nobody waits for it
                structlog.stdlib.get_logger().warning("last_used_not_kept", error=type(error).__name__)
