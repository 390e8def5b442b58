"""The log in the order of streams, page by page, each with the heads and rows of its streams: all of one moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from adapters.postgres import CONNECT_SECONDS
from adapters.postgres_sql import statements
from projections.catalogue import ALL
from projections.generations import Generation
from projections.projection import Entity, Journal, Periods, Projection
from workers.audit.models import Feeds, feeds, serving
from workers.decoded import Read, read_record

SQL = statements(Path(__file__).with_name("folds.sql"))

EVENTS = 4_000


@dataclass(frozen=True, slots=True)
class Page:
    """`rows` by read model and stream, of streams behind the last page's up to `last`; to the end of all, where that is None."""

    events: Sequence[Read]
    last: str | None
    heads: dict[str, asyncpg.Record]
    rows: Mapping[str, dict[str, asyncpg.Record]]
    periods: Mapping[str, dict[str, list[tuple[object, ...]]]]
    entries: Mapping[str, Mapping[int, asyncpg.Record]]
    feeds: Mapping[str, Feeds]


class StreamSource:
    """A connection that only reads. `open` gives it. One caller at a time."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]", tables: Mapping[str, Generation]) -> None:
        self._connection = connection
        self._tables = tables

    @classmethod
    async def open(cls, url: str) -> "StreamSource":
        """Raises what asyncpg does."""
        connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
        await connection.execute(SQL["by_the_indexes"])
        return cls(connection, await serving(connection, ALL))

    async def close(self) -> None:
        await self._connection.close(timeout=5)

    @property
    def served(self) -> Sequence[Projection]:
        return [projection for projection in ALL if projection.name in self._tables]

    async def page(self, stream: str, version: int, only: Sequence[str] | None) -> Page:
        """Read what comes behind that version of that stream; of these streams alone, where some are named."""
        async with self._connection.transaction(isolation="repeatable_read", readonly=True):
            name, more = ("events", ()) if only is None else ("events_of", (only,))
            records = await self._connection.fetch(SQL[name], stream, version, EVENTS, *more)
            last = records[-1]["stream"] if len(records) == EVENTS else None
            heads = await self._connection.fetch(SQL["heads"], stream, last, only)
            fed = {of.name: state for of in self.served if (state := await feeds(self._connection, self._tables[of.name])) is not None}
            positions = [record["position"] for record in records if record["position"] is not None]
            return Page(
                events=[read_record(record) for record in records],
                last=last,
                heads={record["stream"]: record for record in heads},
                rows={of.name: await self._rows(of, stream, last, only) for of in self.served if isinstance(of, Entity)},
                periods={of.name: await self._periods(of, stream, last, only) for of in self.served if isinstance(of, Periods)},
                entries={of.name: await self._entries(of, positions) for of in self.served if isinstance(of, Journal)},
                feeds=fed,
            )

    async def _rows(self, of: Entity[Any], after: str, last: str | None, only: Sequence[str] | None) -> dict[str, asyncpg.Record]:
        if after >= f"{of.category}." or (last is not None and last < of.category):
            return {}
        statement = SQL["rows"].format(table=self._tables[of.name].table, columns=", ".join(of.columns.names))
        return {record["stream"]: record for record in await self._connection.fetch(statement, after, last, only)}

    async def _periods(self, of: Periods, after: str, last: str | None, only: Sequence[str] | None) -> dict[str, list[tuple[object, ...]]]:
        found: dict[str, list[tuple[object, ...]]] = {}
        for record in await self._connection.fetch(SQL["periods"].format(table=self._tables[of.name].table), after, last, only):
            found.setdefault(record["stream"], []).append(tuple(record))
        return found

    async def _entries(self, of: Journal[Any], positions: Sequence[int]) -> dict[int, asyncpg.Record]:
        statement = SQL["entries"].format(table=self._tables[of.name].table, columns=", ".join(of.columns.names))
        return {record["position"]: record for record in await self._connection.fetch(statement, positions)}

    async def surplus(self, of: Journal[Any], size: int) -> Sequence[int]:
        """Give positions of rows of a journal that are beyond the log."""
        statement = SQL["surplus"].format(table=self._tables[of.name].table)
        return [record["position"] for record in await self._connection.fetch(statement, size)]

    async def touched(self, after: int, through: int) -> Sequence[str]:
        """Give the streams of the events between two positions."""
        return [record["stream"] for record in await self._connection.fetch(SQL["streams_behind"], after, through)]
