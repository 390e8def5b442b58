"""A few connections shared by adapters whose statements are short and rare."""

import asyncio
from collections.abc import Sequence

import asyncpg

from adapters.postgres import STATEMENT_SECONDS, Link
from domain.errors import StoreUnavailable


class Links:
    """Lends out one of `size` connections per statement, the last used first. Opens them when first needed."""

    def __init__(self, url: str, *, size: int = 2, prepared: bool = True) -> None:
        self._all = [Link(url, prepared=prepared) for _ in range(size)]
        self._free: asyncio.LifoQueue[Link] = asyncio.LifoQueue()
        for link in self._all:
            self._free.put_nowait(link)

    def __repr__(self) -> str:
        return f"Links({len(self._all)})"

    async def run(self, sql: str, *arguments: object) -> Sequence[asyncpg.Record]:
        """Run a statement once. Raises StoreUnavailable; then it may have happened or not."""
        link = await self._borrow()
        try:
            return await link.fetch(sql, *arguments)
        finally:
            self._free.put_nowait(link)

    async def read(self, sql: str, *arguments: object) -> Sequence[asyncpg.Record]:
        """Run a statement that may be repeated: once more where the connection turns out to be dead."""
        link = await self._borrow()
        try:
            return await link.read(sql, *arguments)
        finally:
            self._free.put_nowait(link)

    async def close(self) -> None:
        for link in self._all:
            await link.close()

    async def _borrow(self) -> Link:
        try:
            async with asyncio.timeout(STATEMENT_SECONDS):
                return await self._free.get()
        except TimeoutError:
            raise StoreUnavailable from None
