"""Pages of the log as the tree takes them: the hash of each entry, and when it was recorded."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any, NamedTuple

from adapters.log_reader import LogBroken
from adapters.postgres import Link
from adapters.tree_store import SQL
from domain.errors import LeafTooLarge
from domain.leaf import LONGEST
from domain.tree.hashing import leaf_hash
from workers.audit.entries import Columns, entry_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE, _TIME, _PAYLOAD = itemgetter(0), itemgetter(5), itemgetter(12)
_AT_ONCE = 256
"""So many entries are hashed before others of this process have their turn: half a millisecond."""


class HashedPage(NamedTuple):
    """Of the positions that follow: hashes, and times in microseconds since 1970. `size` and `epoch` are the log's."""

    hashes: list[bytes]
    times: list[int]
    size: int
    epoch: int


async def read_hashed(link: Link, after: int, limit: int) -> HashedPage:
    """Raises StoreUnavailable; LogBroken for a gap, or an event that was pruned before its time; LogDetached."""
    ((size, epoch, *_),), found = await link.read_together((SQL["head"], ()), (SQL["entries"], (after, after + limit)))
    rows: list[Any] = sorted(found, key=_PLACE)
    through = max(after, min(size, after + limit))
    if list(map(_PLACE, rows)) != list(range(after + 1, through + 1)):
        await link.read(SQL["why_not"], after, through - after)
        raise LogBroken(f"events are missing between positions {after + 1} and {through}")
    hashes: list[bytes] = []
    for start in range(0, len(rows), _AT_ONCE):
        hashes += _hashed(rows[start : start + _AT_ONCE])
        await asyncio.sleep(0)
    return HashedPage(hashes, list(map(_TIME, rows)), size, epoch)


def moment(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def _hashed(rows: Sequence[Columns]) -> list[bytes]:
    entries = list(map(entry_of, rows))
    if not all(map(_PAYLOAD, rows)):
        pruned = next(row for row in rows if not _PAYLOAD(row))
        raise LogBroken(f"the event at {pruned[0]} was pruned before it was in a full tile")
    if max(map(len, entries)) > LONGEST:
        row, entry = next(pair for pair in zip(rows, entries, strict=True) if len(pair[1]) > LONGEST)
        raise LeafTooLarge(row[4], len(entry))
    return list(map(leaf_hash, entries))
