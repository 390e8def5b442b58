"""The right edge of a growing tree: all that is needed to add to it, and to know its root."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from domain.tree.hashing import joined, perfect_root, powers
from domain.tree.nodes import TILE_WIDTH, tile_widths


class FullTile(Struct, frozen=True, kw_only=True):
    """A tile that became full, and what its 256 hashes hash to."""

    level: int
    tile: int
    hashes: bytes
    root: bytes


class Edge:
    """The partial tiles of a tree of `size` entries: of each level the hashes that fill no tile yet."""

    def __init__(self) -> None:
        self.size = 0
        self._rows: list[list[bytes]] = []

    def __repr__(self) -> str:
        return f"Edge({self.size})"

    @classmethod
    def of(cls, size: int, partial: Mapping[int, Sequence[bytes]]) -> "Edge":
        """Make the edge of a tree again. `partial`: by level, the hashes of its partial tile. Raises ValueError where they do not fit."""
        edge = cls()
        edge.size = size
        wanted = {level: width for level, _, width in tile_widths(size)}
        if {level: len(row) for level, row in partial.items() if row} != wanted:
            raise ValueError(f"a tree of {size} entries has other partial tiles")
        edge._rows = [list(partial.get(level, ())) for level in range(max(wanted, default=-1) + 1)]
        return edge

    def row(self, level: int) -> Sequence[bytes]:
        """Give the hashes of the partial tile of a level; none where there is none."""
        return tuple(self._rows[level]) if level < len(self._rows) else ()

    def add(self, hashes: Iterable[bytes]) -> Iterator[FullTile]:
        """Add entries by their hashes; give each tile that becomes full, those below before the one that they complete.

        To be consumed whole: the edge grows as it is.
        """
        for each in hashes:
            self.size += 1
            yield from self._put(0, each, self.size // TILE_WIDTH - 1)

    def _put(self, level: int, value: bytes, tile: int) -> Iterator[FullTile]:
        """`tile`: the number of the one that is full now, if this fills it."""
        if level == len(self._rows):
            self._rows.append([])
        row = self._rows[level]
        row.append(value)
        if len(row) == TILE_WIDTH:
            full = FullTile(level=level, tile=tile, hashes=b"".join(row), root=perfect_root(row))
            row.clear()
            yield full
            yield from self._put(level + 1, full.root, (tile + 1) // TILE_WIDTH - 1)

    def root(self) -> bytes:
        """Give the root of the whole tree (RFC 6962 2.1)."""
        roots: list[bytes] = []
        for row in reversed(self._rows):
            start = 0
            for size in powers(len(row)):
                roots.append(perfect_root(row[start : start + size]))
                start += size
        return joined(roots)
