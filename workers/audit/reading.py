"""Reading the log, its tree and what is published of it, in large pages over one connection of the auditor's own."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg

from adapters.checkpoint_key import LogName
from adapters.postgres import CONNECT_SECONDS
from adapters.postgres_connect import connect
from adapters.postgres_sql import statements
from domain.codec import decode_event
from domain.ids import StreamName
from domain.log import LogEvent
from domain.tree.nodes import TILE_WIDTH
from workers.audit.announced import Announced, announced
from workers.audit.entries import Columns, read_times_as_numbers

SQL = statements(Path(__file__).with_name("tree.sql"))

TILES = 24
"""Full tiles a page holds: some megabytes as it is read."""


class Page(NamedTuple):
    """A stretch of the log from the beginning of a tile: entries in order, and what is stored of each full tile."""

    first: int
    entries: list[Columns]
    tiles: dict[int, asyncpg.Record]

    def by_tile(self, size: int) -> Iterator[tuple[int, Sequence[Columns]]]:
        """Give each tile's number and its entries, of which some may not be there."""
        at = 0
        for number in range(self.first, min(self.first + TILES, -(-size // TILE_WIDTH))):
            begin = at
            while at < len(self.entries) and self.entries[at][0] <= (number + 1) * TILE_WIDTH:
                at += 1
            yield number, self.entries[begin:at]


class LogSource:
    """A connection that only reads. `open` gives it."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, url: str) -> "LogSource":
        """Raises what asyncpg does."""
        connection = await connect(url, timeout=CONNECT_SECONDS)
        await connection.execute(SQL["by_the_indexes"])
        await read_times_as_numbers(connection)
        return cls(connection)

    async def close(self) -> None:
        await self._connection.close(timeout=5)

    async def _fetch(self, name: str, *arguments: object) -> list[Any]:
        async with self._turn:
            return await self._connection.fetch(SQL[name], *arguments)

    async def size(self) -> tuple[int, int]:
        """Give the last position and the epoch."""
        (row,) = await self._fetch("size")
        return row["size"], row["epoch"]

    async def names(self) -> Sequence[LogName]:
        """Give the log's name and key as the database has them: to be held against what is known from elsewhere."""
        return [LogName(name=row["name"], public=row["public"]) for row in await self._fetch("keys")]

    async def announced(self, within: int | None = None) -> Announced:
        """Read what the log says was done to it; where `within` is given, what it says up to that position. Raises UnknownEventTag and
        ValidationError for an event that is none."""
        rows = await (self._fetch("log_stream") if within is None else self._fetch("log_stream_within", within))
        events: list[Any] = [decode_event(row["type"], row["payload"]) for row in rows]
        return announced(event for event in events if isinstance(event, LogEvent))

    async def broken_runs(self) -> Sequence[int]:
        """Give positions at which the numbering breaks: left out, given twice, or ending where the log does not."""
        left_out = [row["before"] for row in await self._fetch("broken_runs")]
        twice = [row["position_start"] for row in await self._fetch("overlapping_runs")]
        ((end, size),) = await self._fetch("ends")
        return sorted({*left_out, *twice, *([] if end == size else [min(end, size) + 1])})

    async def beyond(self) -> tuple[Sequence[tuple[int, int]], Sequence[int], Sequence[tuple[int, int]]]:
        """Give what there is of entries that there are not: tiles by level and number, times by tile; and of epochs that there are not,
        checkpoints by epoch and size."""
        tiles, times, checkpoints = [await self._fetch(name) for name in ("tiles_beyond", "times_beyond", "checkpoints_beyond")]
        return [tuple(row) for row in tiles], [row[0] for row in times], [tuple(row) for row in checkpoints]

    async def never_sequenced(self, *, runs_on: bool) -> Sequence[tuple[StreamName, int]]:
        """Give streams and versions of events that have no position, and get none: heads are made of them, and no entry of the log is."""
        return [(StreamName(row["stream"]), row["version"]) for row in await self._fetch("never_sequenced", runs_on)]

    async def newest(self, epoch: int) -> tuple[int, str] | None:
        """Give the size and the note of the newest checkpoint of an epoch."""
        rows = await self._fetch("newest", epoch)
        return (rows[0]["size"], rows[0]["note"]) if rows else None

    async def checkpoints(self, epoch: int, after: int, up_to: int, limit: int) -> Sequence[asyncpg.Record]:
        return await self._fetch("checkpoints", epoch, after, up_to, limit)

    async def pages(self, first_tile: int, size: int) -> AsyncGenerator[Page]:
        """Give the log from a tile on, page by page; the next one is read while one is worked on."""
        starts = range(first_tile, -(-size // TILE_WIDTH), TILES)
        following: asyncio.Task[Page] | None = None
        try:
            for start in starts:
                page = await (following or asyncio.create_task(self._page(start, size)))
                following = asyncio.create_task(self._page(start + TILES, size)) if start + TILES in starts else None
                await asyncio.sleep(0)  # it asks before this page is worked on
                yield page
        finally:
            if following is not None:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)

    async def _page(self, tile: int, size: int) -> Page:
        entries = await self._fetch("entries", tile * TILE_WIDTH, min(size, (tile + TILES) * TILE_WIDTH))
        tiles = await self._fetch("tiles", 0, tile, tile + TILES)
        return Page(tile, sorted(entries, key=itemgetter(0)), {row["tile"]: row for row in tiles})

    async def latest(self, tile: int) -> int | None:
        """Give the time in the log that is stored for the end of a tile of level 0."""
        rows = await self._fetch("tiles", 0, tile, tile + 1)
        return rows[0]["latest"] if rows else None

    async def covered(self) -> int:
        """Give how much of the log was published by now, in its epoch. Before `size` is asked for: it is never less, then."""
        ((size, _),) = await self._fetch("covered")
        return int(size)

    async def tile(self, level: int, number: int) -> tuple[bytes, bytes] | None:
        """Give a full tile's hashes, and what it is said to hash to."""
        rows = await self._fetch("tiles", level, number, number + 1)
        return (rows[0]["hashes"], rows[0]["root"]) if rows else None

    async def roots(self, level: int, first: int, count: int) -> list[bytes]:
        """Give what full tiles are said to hash to; 32 zero bytes for one that is not there."""
        rows = await self._fetch("tiles", level, first, first + count) if count else []
        found = {row["tile"]: row["root"] for row in rows}
        return [found.get(first + at, b"\x00" * 32) for at in range(count)]
