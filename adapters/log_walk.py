"""The log from one position to another, oldest first, or what is wanted of it: a page is read while the one before is used."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from asyncpg import Record
from msgspec import Struct

from adapters.event_store_columns import stored_event
from adapters.log_reader import SQL, LogBroken, LogPage, page_of
from adapters.postgres_sql import statements
from domain.errors import LogChanged
from domain.ids import StreamName, UserId

WALKS = statements(Path(__file__).with_suffix(".sql"))
ACTOR = r"^(anonymous|(user|client|api_key|system):[A-Za-z0-9_-]{1,64})$(?!\n)"
TYPE = r"^[a-z_]+(\.[a-z0-9_]+){0,2}$(?!\n)"
STREAM = r"^[a-z_]+(-[A-Za-z0-9_-]{1,64})?$(?!\n)"
"""What a filter may be: one of another form finds nothing, which would read as if nothing had happened."""
_MICROSECOND = timedelta(microseconds=1)
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
"""Ends of what Postgres and Python both know moments of."""
SPARSE, MOST_LOOKED_AT = 8, 8
"""A page of which less than one in SPARSE was wanted is followed by one twice as long, up to MOST_LOOKED_AT times the first."""


class LogFilter(Struct, frozen=True, kw_only=True):
    """All that are given must hold."""

    type_prefix: str | None = None
    """A tag or the beginning of one at a dot."""
    actor: str | None = None
    stream: StreamName | None = None
    user_id: UserId | None = None
    """Events that name this user as whom they are about."""

    @property
    def wants_all(self) -> bool:
        return all(getattr(self, name) is None for name in self.__struct_fields__)

    @property
    def arguments(self) -> Sequence[object]:
        about = None if self.user_id is None else f'"user_id":"{self.user_id}"'.encode()  # canonical JSON has no other spelling of it
        return self.type_prefix, self.actor, self.stream, about


class Reads(Protocol):
    """A connection, or several."""

    async def read(self, sql: str, *arguments: object) -> Sequence[Record]: ...


class Stretch(Struct, frozen=True, kw_only=True):
    """Positions after `after` up to `last`, of a log of this epoch and size."""

    after: int
    last: int
    epoch: int
    size: int


async def stretch(
    reads: Reads, *, after: int, through: int | None = None, since: datetime | None = None, until: datetime | None = None
) -> Stretch:
    """Find what lies between these positions and moments, from `since` up to, not including, `until`, in the log as it is now.

    A moment is where log time passes it: the time of recording, or that of an earlier event where the clock has run backwards.
    Raises StoreUnavailable.
    """
    [(size, epoch, before, last)] = await reads.read(WALKS["stretch"], _just_before(since), _just_before(until))
    ends = [size, *(end for end in (through, last) if end is not None)]
    return Stretch(after=max(after, before or 0), last=min(ends), epoch=epoch, size=size)


def _just_before(moment: datetime | None) -> datetime | None:
    return None if moment is None else min(max(moment, _EARLIEST), _LATEST) - _MICROSECOND


class LogWalk:
    """Raises StoreUnavailable, LogBroken on a gap, LogChanged where another epoch begins on the way."""

    def __init__(self, reads: Reads, wanted: LogFilter, *, page: int) -> None:
        """`page`: how many positions to look at in one go."""
        self._reads = reads
        self._wanted = wanted
        self._page = page

    async def pages(self, of: Stretch) -> AsyncGenerator[LogPage]:
        """Give what is wanted of it, each page with how far it looked."""
        after, length = of.after, self._page
        reading = self._start(of, after, length)
        try:
            while reading is not None:
                page = await reading
                is_sparse = len(page.events) * SPARSE < page.through - after
                length = min(2 * length, MOST_LOOKED_AT * self._page) if is_sparse else self._page
                after = page.through
                reading = self._start(of, after, length)
                await asyncio.sleep(0)  # it is on its way before anybody computes
                yield page
        finally:
            if reading is not None:
                reading.cancel()
                with suppress(asyncio.CancelledError, Exception):  # nobody is left to hear of it
                    await reading

    def _start(self, of: Stretch, after: int, length: int) -> "asyncio.Task[LogPage] | None":
        if after >= of.last:
            return None
        return asyncio.create_task(self._read(of, after, min(length, of.last - after)), name="log walk")

    async def _read(self, of: Stretch, after: int, limit: int) -> LogPage:
        if self._wanted.wants_all:
            page = page_of(await self._reads.read(SQL["read_log"], after, limit), after, limit)
        else:
            page = _filtered(await self._reads.read(WALKS["walk_log"], after, limit, *self._wanted.arguments), after, limit)
        if page.epoch != of.epoch:
            raise LogChanged
        if page.through != after + limit:
            raise LogBroken(f"the log ends at {page.through}, and was to go on")
        return page


def _filtered(rows: Sequence[Record], after: int, limit: int) -> LogPage:
    """Raises LogBroken."""
    size, epoch, found = rows[0][14], rows[0][15], rows[0][16]
    through = max(after, min(size, after + limit))
    if found != through - after:
        raise LogBroken(f"events are missing between positions {after + 1} and {through}")
    return LogPage(events=[stored_event(row) for row in rows if row[0] is not None], through=through, size=size, epoch=epoch)
