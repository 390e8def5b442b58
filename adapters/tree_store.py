"""The audit tree as the database holds it: checkpoints, tiles, and the proofs that are made of them.

Full tiles are read as they are stored. What lies right of them is made when asked for: a partial tile of level 0 from the events, one
above it from what the full tiles below hash to.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from asyncpg import Record
from msgspec import Struct

from adapters.leaves import leaf_bytes
from adapters.log_reader import SQL as LOG_SQL
from adapters.log_reader import page_of
from adapters.postgres_links import Links
from adapters.postgres_sql import statements
from domain.tree.hashing import leaf_hash, perfect_root, split
from domain.tree.nodes import TILE_WIDTH, Node, slot_of
from domain.tree.proofs import Span, consistency_spans, inclusion_spans, nodes_of, roots_of

SQL = statements(Path(__file__).with_suffix(".sql"))


class StoredCheckpoint(Struct, frozen=True, kw_only=True):
    """`note` is the signed note as it is served, with the witnesses' lines where there are any."""

    epoch: int
    size: int
    root: bytes
    note: str
    signed_at: datetime
    published_at: datetime


class TreeStore:
    """Reads the tree. Raises StoreUnavailable; ValueError for what a tree of that size does not have."""

    def __init__(self, links: Links) -> None:
        self.links = links

    async def newest(self, epoch: int | None = None) -> StoredCheckpoint | None:
        """Give the newest checkpoint of an epoch, of the latest one that has any where none is named."""
        if epoch is None:
            return _checkpoint(await self.links.read(SQL["newest_of_all"]))
        return _checkpoint(await self.links.read(SQL["newest_checkpoint"], epoch))

    async def newest_cosigned(self, epoch: int) -> StoredCheckpoint | None:
        """Give the newest checkpoint of an epoch that has lines of witnesses: enough of them, when they were kept."""
        return _checkpoint(await self.links.read(SQL["newest_cosigned"], epoch))

    async def covering(self, epoch: int, position: int) -> StoredCheckpoint | None:
        """Give the earliest checkpoint kept of an epoch that an event at this position is in: a cosigned one, if there is any."""
        return _checkpoint(await self.links.read(SQL["covering_checkpoint"], epoch, position))

    async def tile(self, level: int, number: int, width: int = TILE_WIDTH) -> bytes | None:
        """Give the hashes of a tile, of a partial one so many. None where the log does not have them yet."""
        row = (await self._rows({(level, number): width}))[level, number]
        return b"".join(row[:width]) if len(row) >= width else None

    async def leaf_hashes(self, first: int, count: int) -> Sequence[bytes]:
        """Give the hashes of entries from index `first` on, fewer where the log ends."""
        last = first + count - 1
        wanted = {(0, n): min(last - n * TILE_WIDTH, TILE_WIDTH - 1) + 1 for n in range(first // TILE_WIDTH, last // TILE_WIDTH + 1)}
        rows = await self._rows(wanted)
        found = [each for place in sorted(rows) for each in rows[place][: wanted[place]]]
        return found[first % TILE_WIDTH :][:count]

    async def inclusion(self, index: int, size: int) -> list[bytes]:
        """Prove entry `index` in a tree of `size` entries."""
        return await self._roots(inclusion_spans(index, size))

    async def consistency(self, first: int, second: int) -> list[bytes]:
        """Prove that a tree of `first` entries is the beginning of one of `second`."""
        return await self._roots(consistency_spans(first, second))

    async def root(self, size: int) -> bytes:
        """Give the root of the tree of the first `size` entries, at least one."""
        (root,) = await self._roots([(0, size)])
        return root

    async def _roots(self, spans: Sequence[Span]) -> list[bytes]:
        slots = {node: slot_of(node) for node in nodes_of(spans)}
        wanted: dict[tuple[int, int], int] = {}
        for slot in slots.values():
            place = (slot.level, slot.tile)
            wanted[place] = max(wanted.get(place, 0), slot.first + slot.width)
        rows = await self._rows(wanted)

        def hash_of(node: Node) -> bytes:
            slot = slots[node]
            row = rows[slot.level, slot.tile][slot.first : slot.first + slot.width]
            if len(row) < slot.width:
                raise ValueError("the log has fewer entries")
            return perfect_root(row)

        return roots_of(spans, hash_of)

    async def _rows(self, wanted: Mapping[tuple[int, int], int]) -> dict[tuple[int, int], list[bytes]]:
        """Give the hashes of tiles by (level, number): whole ones, else at least the first so many as far as there are."""
        stored = await self.links.read(SQL["tiles"], [level for level, _ in wanted], [number for _, number in wanted])
        rows = {(level, number): split(hashes) for level, number, hashes in stored}
        for (level, number), width in wanted.items():
            if (level, number) not in rows:
                rows[level, number] = await (self._edge_of_entries(number, width) if level == 0 else self._edge(level, number, width))
        return rows

    async def _edge(self, level: int, number: int, width: int) -> list[bytes]:
        return [row[0] for row in await self.links.read(SQL["roots"], level - 1, number * TILE_WIDTH, width)]

    async def _edge_of_entries(self, number: int, width: int) -> list[bytes]:
        after = number * TILE_WIDTH
        page = page_of(await self.links.read(LOG_SQL["read_log"], after, width), after, width)
        return [leaf_hash(leaf_bytes(event)) for event in page.events]


def _checkpoint(rows: Sequence[Record]) -> StoredCheckpoint | None:
    if not rows:
        return None
    epoch, size, root, note, cosigned, signed_at, published_at = rows[0]
    return StoredCheckpoint(epoch=epoch, size=size, root=root, note=cosigned or note, signed_at=signed_at, published_at=published_at)
