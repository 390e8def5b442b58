"""Tiles of level 1 and above, each hash in them held against the full tile below."""

from collections.abc import Sequence

from domain.tree.hashing import perfect_root, powers, split
from domain.tree.nodes import TILE_HEIGHT, TILE_WIDTH
from workers.audit.findings import Finding, Findings, Kind
from workers.audit.frontier import Frontier
from workers.audit.reading import LogSource


class Upper:
    """Is told the root over each full tile of level 0, in order."""

    def __init__(self, source: LogSource, findings: Findings) -> None:
        self._source = source
        self._findings = findings
        self._rows: list[list[bytes]] = []
        self._tiles: list[int] = []

    async def begin(self, tiles: int) -> Frontier:
        """Take up at that many tiles of level 0, whose roots are read and not checked; give the tree over them."""
        peaks: list[tuple[int, bytes]] = []
        count, level = tiles, 1
        while count:
            number, width = divmod(count, TILE_WIDTH)
            row = await self._source.roots(level - 1, number * TILE_WIDTH, width)
            self._rows.append(row)
            self._tiles.append(number)
            peaks[:0] = _peaks(row, level)
            count, level = number, level + 1
        return Frontier(peaks)

    async def add(self, root: bytes, level: int = 1) -> None:
        if len(self._rows) < level:
            self._rows.append([])
            self._tiles.append(0)
        row = self._rows[level - 1]
        row.append(root)
        if len(row) == TILE_WIDTH:
            whole = perfect_root(row)
            await self._compare(level, row, whole)
            self._rows[level - 1] = []
            self._tiles[level - 1] += 1
            await self.add(whole, level + 1)

    async def _compare(self, level: int, row: Sequence[bytes], whole: bytes) -> None:
        number = self._tiles[level - 1]
        stored = await self._source.tile(level, number)
        if stored is None:
            words = f"tile {number} of level {level} is not there"
            self._findings.add(Finding(kind=Kind.TILE_MISSING, words=words, tile=(level, number)))
            return
        hashes, root = stored
        for at, (made, said) in enumerate(zip(row, split(hashes), strict=True)):
            if made != said:
                words = (
                    f"hash {at} of tile {number} of level {level} is not the root over tile {number * TILE_WIDTH + at} of level {level - 1}"
                )
                self._findings.add(Finding(kind=Kind.TILE_CHANGED, words=words, tile=(level, number)))
        if root != whole:
            words = f"what tile {number} of level {level} is said to hash to is not what it hashes to"
            self._findings.add(Finding(kind=Kind.TILE_CHANGED, words=words, tile=(level, number)))


def _peaks(row: Sequence[bytes], level: int) -> list[tuple[int, bytes]]:
    peaks: list[tuple[int, bytes]] = []
    start = 0
    for size in powers(len(row)):
        height = TILE_HEIGHT * level + size.bit_length() - 1
        peaks.append((height, perfect_root(row[start : start + size])))
        start += size
    return peaks
