"""Reading the log in position order, for projections, the publisher and auditors."""

from collections.abc import Sequence
from pathlib import Path

from asyncpg import Record
from msgspec import Struct

from adapters.event_store_columns import stored_event
from adapters.postgres import Link
from adapters.postgres_sql import statements
from commands.ports import StoredEvent

SQL = statements(Path(__file__).with_suffix(".sql"))
READ_SECONDS = 30.0


class LogBroken(Exception):
    """Positions are not contiguous, or an event that has one is not there. Whoever reads must stop."""


class LogSize(Struct, frozen=True, kw_only=True):
    """`size` is the last position given; a position means something only together with its `epoch`."""

    size: int
    epoch: int


class LogPage(Struct, frozen=True, kw_only=True):
    """Events in position order, every one up to `through`."""

    events: Sequence[StoredEvent]
    through: int
    size: int
    epoch: int


class LogReader:
    """A tail of the log over one connection of its own. One caller at a time."""

    def __init__(self, url: str, *, prepared: bool = True) -> None:
        self._link = Link(url, prepared=prepared, seconds=READ_SECONDS)

    async def size(self) -> LogSize:
        """Raises StoreUnavailable, as all here."""
        (row,) = await self._link.read(SQL["log_size"])
        return LogSize(size=row[0], epoch=row[1])

    async def read(self, after: int, limit: int) -> LogPage:
        """Give at most `limit` positions following `after`. Raises LogBroken on a gap."""
        return page_of(await self._link.read(SQL["read_log"], after, limit), after, limit)

    async def close(self) -> None:
        await self._link.close()


def page_of(rows: Sequence[Record], after: int, limit: int) -> LogPage:
    """Take what `read_log` answered to `after` and `limit`. Raises LogBroken on a gap."""
    size, epoch = rows[0][14], rows[0][15]
    through = min(size, after + limit)
    if through <= after:
        return LogPage(events=(), through=after, size=size, epoch=epoch)
    events = [stored_event(row) for row in rows if row[0] is not None]
    if len(events) != through - after or any(event.position != wanted for wanted, event in enumerate(events, after + 1)):
        raise LogBroken(f"events are missing between positions {after + 1} and {through}")
    return LogPage(events=events, through=through, size=size, epoch=epoch)
