"""Pages of the log as the tree takes them: the hash of each entry, and when it was recorded."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from adapters.log_reader import LogBroken
from adapters.postgres import Link
from adapters.tree_store import SQL
from domain.errors import LeafTooLarge
from domain.leaf import LONGEST
from workers.audit.entries import entry_of, leaf_hash

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAYLOAD, _SIZE = 12, 13


class HashedPage(NamedTuple):
    """Of the positions that follow: hashes, and times in microseconds since 1970. `size` and `epoch` are the log's."""

    hashes: list[bytes]
    times: list[int]
    size: int
    epoch: int


async def read_hashed(link: Link, after: int, limit: int) -> HashedPage:
    """Raises StoreUnavailable; LogBroken for a gap, or an event that was pruned before its time."""
    rows = await link.read(SQL["entries"], after, limit)
    size, epoch = rows[0][_SIZE], rows[0][_SIZE + 1]
    through = min(size, after + limit)
    if through <= after:
        return HashedPage([], [], size, epoch)
    if len(rows) != through - after or any(row[0] != wanted for wanted, row in enumerate(rows, after + 1)):
        raise LogBroken(f"events are missing between positions {after + 1} and {through}")
    return HashedPage([_hash(tuple(row)[:_SIZE]) for row in rows], [row[5] for row in rows], size, epoch)


def moment(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def _hash(row: Sequence[Any]) -> bytes:
    if not row[_PAYLOAD]:
        raise LogBroken(f"the event at {row[0]} was pruned before it was in a full tile")
    entry = entry_of(row)
    if len(entry) > LONGEST:
        raise LeafTooLarge(row[4], len(entry))
    return leaf_hash(entry)
