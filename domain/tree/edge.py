"""The right edge of a growing tree: all that is needed to add to it, and to know its root."""

from collections.abc import Iterable, Mapping, Sequence

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

    def add(self, hashes: Iterable[bytes]) -> list[FullTile]:
        """Add entries by their hashes; give each tile that becomes full, those below before the one that they complete."""
        full: list[FullTile] = []
        remaining = list(hashes)
        while remaining:
            row = self._row(0)
            taken = remaining[: TILE_WIDTH - len(row)]
            row += taken
            self.size += len(taken)
            remaining = remaining[len(taken) :]
            self._close(full)
        return full

    def _close(self, full: list[FullTile]) -> None:
        """Take out the rows that are full, from the lowest on, each becoming one hash of the row above it."""
        level, count = 0, self.size
        while len(row := self._row(level)) == TILE_WIDTH:
            count //= TILE_WIDTH
            tile = FullTile(level=level, tile=count - 1, hashes=b"".join(row), root=perfect_root(row))
            full.append(tile)
            row.clear()
            level += 1
            self._row(level).append(tile.root)

    def _row(self, level: int) -> list[bytes]:
        if level == len(self._rows):
            self._rows.append([])
        return self._rows[level]

    def root(self) -> bytes:
        """Give the root of the whole tree (RFC 6962 2.1)."""
        roots: list[bytes] = []
        for row in reversed(self._rows):
            start = 0
            for size in powers(len(row)):
                roots.append(perfect_root(row[start : start + size]))
                start += size
        return joined(roots)
