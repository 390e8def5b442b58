"""Reading the log in position order, for projections, the publisher and auditors."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from asyncpg import Record
from msgspec import Struct

from adapters.event_store_columns import stored_event
from adapters.postgres import Link
from adapters.postgres_sql import statements
from commands.ports import StoredEvent

SQL = statements(Path(__file__).with_suffix(".sql"))
ALL_SLOTS = range(64)
READ_SECONDS = 30.0


class LogBroken(Exception):
    """Positions are not contiguous, or an event that has one is not there. Whoever reads must stop."""


class LogSize(Struct, frozen=True, kw_only=True):
    """`size` is the last position given; a position means something only together with its `epoch`."""

    size: int
    epoch: int


class LogPage(Struct, frozen=True, kw_only=True):
    """Events in position order. Everything up to `through` has been read, also where slots left events out."""

    events: Sequence[StoredEvent]
    through: int
    size: int
    epoch: int


@dataclass(frozen=True, slots=True)
class _Stretch:
    first: int
    low: int
    high: int


class LogReader:
    """A tail of the log over one connection of its own. One caller at a time."""

    def __init__(self, url: str, *, prepared: bool = True) -> None:
        self._link = Link(url, prepared=prepared, seconds=READ_SECONDS)

    async def size(self) -> LogSize:
        """Raises StoreUnavailable, as all here."""
        (row,) = await self._link.read(SQL["log_size"])
        return LogSize(size=row[0], epoch=row[1])

    async def read(self, after: int, limit: int, *, slots: range = ALL_SLOTS) -> LogPage:
        """Give at most `limit` positions following `after`, of streams in `slots` (a step of 1). Raises LogBroken on a gap."""
        rows = await self._link.read(SQL["find_runs"], after, limit)
        size, epoch = rows[0][0], rows[0][1]
        through = min(size, after + limit)
        if through <= after:
            return LogPage(events=(), through=after, size=size, epoch=epoch)
        stretches = _stretches(rows, after, through)
        found = await self._link.read(
            SQL["read_stretches"],
            [s.first for s in stretches],
            [s.low for s in stretches],
            [s.high for s in stretches],
            slots.start,
            slots.stop - 1,
        )
        events = [stored_event(row) for row in found]
        if slots == ALL_SLOTS:
            _assert_contiguous(events, after, through)
        return LogPage(events=events, through=through, size=size, epoch=epoch)

    async def close(self) -> None:
        await self._link.close()


def _stretches(rows: Sequence[Record], after: int, through: int) -> Sequence[_Stretch]:
    """Cut the runs to what was asked for. They must follow one another from `after` to `through` without a gap."""
    stretches: list[_Stretch] = []
    following = after + 1
    for _, _, position, append_id, n in rows:
        skipped = following - position if position is not None and not stretches else 0
        if position is None or position + skipped != following or skipped >= n:
            raise LogBroken(f"no run holds position {following}")
        taken = min(n - skipped, through - following + 1)
        stretches.append(_Stretch(following, append_id + skipped, append_id + skipped + taken - 1))
        following += taken
    if following != through + 1:
        raise LogBroken(f"the log has {through} positions by its head, its runs end before {following}")
    return stretches


def _assert_contiguous(events: Sequence[StoredEvent], after: int, through: int) -> None:
    if len(events) != through - after or any(event.position != wanted for wanted, event in enumerate(events, after + 1)):
        raise LogBroken(f"events are missing between positions {after + 1} and {through}")
