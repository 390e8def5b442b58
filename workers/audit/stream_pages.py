"""The log in the order of streams, page by page, each with the heads and rows of its streams: all of one moment."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg

from adapters.postgres import CONNECT_SECONDS
from adapters.postgres_connect import connect
from adapters.postgres_sql import statements
from projections.catalogue import ALL
from projections.generations import Generation
from projections.projection import Entity, Journal, Periods, Projection
from workers.audit.models import Feeds, feeds, serving
from workers.audit.written import all_written
from workers.decoded import Read, read_columns

SQL = statements(Path(__file__).with_name("folds.sql"))

EVENTS = 4_000
_COLUMNS, _STREAM = 12, 1
"""How many are of an event, and where its stream is among them."""
_OF_ALL, _OF_SOME = "", "_of"
_BEHIND_ONE, _BEHIND_ALL = "\x7f", "\U0010ffff" * 25
"""What sorts behind a name of a stream and before the next one; and behind every name: they are of 96 bytes at most."""


class Between(NamedTuple):
    """The streams behind one name through another. Neither is a stream's own."""

    after: str = ""
    through: str = _BEHIND_ALL


@dataclass(frozen=True, slots=True)
class Page:
    """`rows` by read model and stream, of streams behind the last page's up to `last`; where that is None, to the end of what is wanted."""

    events: Sequence[Read]
    records: Sequence[asyncpg.Record]
    """What the events were read from, with what journals have of them."""
    last: str | None
    heads: dict[str, asyncpg.Record]
    rows: Mapping[str, dict[str, asyncpg.Record]]
    periods: Mapping[str, dict[str, list[tuple[object, ...]]]]
    feeds: Mapping[str, Feeds]
    twice: Sequence[tuple[str | None, str]]
    """Read models, None for heads, and streams of which they have more than one row: whoever owns the database can allow that."""


class StreamSource:
    """A connection that only reads. `open` gives it. One caller at a time."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]", tables: Mapping[str, Generation]) -> None:
        self._connection = connection
        self._tables = tables
        self.served: Sequence[Projection] = [of for of in ALL if of.name in tables]
        self.written = all_written(self.served, tables, _COLUMNS)
        more, joins = "".join(f", {each.columns}" for each in self.written), " ".join(each.join for each in self.written)
        self._events = {of: SQL["with_journals"].format(events=SQL[f"events{of}"], columns=more, joins=joins) for of in (_OF_ALL, _OF_SOME)}

    @classmethod
    async def open(cls, url: str) -> "StreamSource":
        """Raises what asyncpg does."""
        connection = await connect(url, timeout=CONNECT_SECONDS)
        await connection.execute(SQL["by_the_indexes"])
        return cls(connection, await serving(connection, ALL))

    async def close(self) -> None:
        await self._connection.close(timeout=5)

    @property
    def unserved(self) -> Sequence[str]:
        return [projection.name for projection in ALL if projection.name not in self._tables]

    async def ranges(self, streams: int) -> Sequence[Between]:
        """Divide all names of streams, so that about so many streams are between two."""
        ends = [record["stream"] + _BEHIND_ONE for record in await self._connection.fetch(SQL["every"], streams)]
        return [Between(after, through) for after, through in pairwise(["", *ends, _BEHIND_ALL])]

    async def pages(self, between: Between, only: Sequence[str] | None = None) -> AsyncGenerator[Page]:
        """Give the streams there, or these alone of them, page by page; the next one is read while one is worked on."""
        following: asyncio.Task[Page] | None = asyncio.create_task(self._page(between.after, 0, between.through, only))
        try:
            while following is not None:
                page = await following
                following = None
                if page.last is not None:
                    following = asyncio.create_task(self._page(page.last, page.events[-1].version, between.through, only))
                    await asyncio.sleep(0)  # it asks before this page is worked on
                yield page
        finally:
            if following is not None:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)

    async def _page(self, stream: str, version: int, through: str, only: Sequence[str] | None) -> Page:
        """Read what comes behind that version of that stream, through another; of these streams alone, where some are named."""
        of, some = (_OF_ALL, ()) if only is None else (_OF_SOME, (only,))
        async with self._connection.transaction(isolation="repeatable_read", readonly=True):
            records = await self._connection.fetch(self._events[of], stream, version, EVENTS, through, *some)
            last = records[-1][_STREAM] if len(records) >= EVENTS else None
            between = (stream, last or through, *some)
            heads = await self._connection.fetch(SQL[f"heads{of}"], *between)
            rows = {each.name: await self._rows(each, f"rows{of}", *between) for each in self.served if isinstance(each, Entity)}
            return Page(
                events=[read_columns(record[:_COLUMNS]) for record in records],
                records=records,
                last=last,
                heads=_by_stream(heads),
                rows={name: _by_stream(records) for name, records in rows.items()},
                periods={
                    each.name: await self._periods(each, f"periods{of}", *between) for each in self.served if isinstance(each, Periods)
                },
                feeds=await feeds(self._connection, self._tables),
                twice=[
                    *((None, each) for each in _twice(heads)),
                    *((name, each) for name, records in rows.items() for each in _twice(records)),
                ],
            )

    async def _rows(self, of: Entity[Any], name: str, after: str, last: str, *only: object) -> Sequence[asyncpg.Record]:
        """Read those of streams of its category; the others are `strays`."""
        first, end = of.category, f"{of.category}."
        if after >= end or last < first:
            return ()
        statement = SQL[name].format(table=self._tables[of.name].table, columns=", ".join(of.columns.names))
        return await self._connection.fetch(statement, max(after, first), min(last, end), *only)

    async def _periods(self, of: Periods, name: str, *between: object) -> dict[str, list[tuple[object, ...]]]:
        found: dict[str, list[tuple[object, ...]]] = {}
        for record in await self._connection.fetch(SQL[name].format(table=self._tables[of.name].table), *between):
            found.setdefault(record["stream"], []).append(tuple(record))
        return found

    async def strays(self, of: Entity[Any]) -> Sequence[str]:
        """Give streams of which an entity has rows, and which are of another category."""
        statement = SQL["strays"].format(table=self._tables[of.name].table)
        return [record["stream"] for record in await self._connection.fetch(statement, of.category, f"{of.category}.")]

    async def surplus(self, of: Journal[Any]) -> Sequence[int]:
        """Give positions of rows of a journal that are beyond the log."""
        statement = SQL["surplus"].format(table=self._tables[of.name].table)
        return [record["position"] for record in await self._connection.fetch(statement)]

    async def touched(self, after: int, through: int) -> Sequence[str]:
        """Give the streams of the events between two positions."""
        return [record["stream"] for record in await self._connection.fetch(SQL["streams_behind"], after, through)]


def _by_stream(records: Sequence[asyncpg.Record]) -> dict[str, asyncpg.Record]:
    return {record["stream"]: record for record in records}


def _twice(records: Sequence[asyncpg.Record]) -> Sequence[str]:
    if len(_by_stream(records)) == len(records):
        return ()
    return sorted(stream for stream, count in Counter(record["stream"] for record in records).items() if count > 1)
