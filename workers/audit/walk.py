"""The log from its first position to its last: entries against tiles, tiles against each other, every checkpoint against both."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from operator import itemgetter

import asyncpg

from domain.leaf import LONGEST
from domain.tree.hashing import HASH_BYTES, leaf_hash, perfect_root, split
from domain.tree.nodes import TILE_HEIGHT, TILE_WIDTH
from workers.audit.comparing import Comparer, Differs
from workers.audit.entries import Columns, entry_of
from workers.audit.findings import Finding, Findings, Kind
from workers.audit.frontier import Frontier
from workers.audit.held_back import HeldBack
from workers.audit.judging import Held, Judge
from workers.audit.published import Published
from workers.audit.reading import LogSource
from workers.audit.upper import Upper

_RECORDED_AT = itemgetter(5)
_UNKNOWN = b"\x00" * 32


class Walk:
    """One way through the log. Where entries and stored hashes differ both trees are grown, until a checkpoint fits one of them."""

    def __init__(self, source: LogSource, published: Published, judge: Judge, held_back: HeldBack, findings: Findings) -> None:
        self._source = source
        self._published = published
        self._judge = judge
        self._held_back = held_back
        self._findings = findings
        self._comparer = Comparer(findings)
        self._upper = Upper(source, findings)
        self._tree = Frontier()
        self._made: Frontier | None = None
        self._latest: int | None = None

    async def through(self, size: int, *, first_tile: int, covered: int, progress: Callable[[int], None]) -> bytes:
        """Walk from a tile on to the end, and give the root over all. `covered`: so much was published, and has its tiles."""
        self._tree = await self._upper.begin(first_tile)
        self._latest = await self._source.latest(first_tile - 1) if first_tile else None
        async with aclosing(self._source.pages(first_tile, size)) as pages:
            async for page in pages:
                for number, rows in page.by_tile(size):
                    stored = page.tiles.get(number)
                    if stored is None and (number + 1) * TILE_WIDTH <= covered:
                        words = f"tile {number} of level 0 is not there"
                        self._findings.add(Finding(kind=Kind.TILE_MISSING, words=words, tile=(0, number)))
                    await self._tile(number, min(TILE_WIDTH, size - number * TILE_WIDTH), rows, stored)
                    progress(min(size, (number + 1) * TILE_WIDTH))
                    await asyncio.sleep(0)  # takes in what has come of the next page: the database waits once some hundred entries are
        self._comparer.end()
        await self._held_back.end()
        return self._tree.root()

    async def _tile(self, number: int, width: int, rows: Sequence[Columns], stored: "asyncpg.Record | None") -> None:
        """Check one tile, and the checkpoints whose last entry is in it."""
        stored = self._whole(number, stored)
        said = None if stored is None else split(stored["hashes"])[:width]
        if len(rows) < width or not all(row[-1] for row in rows):
            await self._held_back.look(number * TILE_WIDTH + 1, number * TILE_WIDTH + width, rows)
        made = self._hashes(number, width, rows, said)
        if said is not None and made != said:
            self._differ(number, made, said, rows)
        await self._grow(number * TILE_WIDTH, said or made, made)
        if width == TILE_WIDTH:  # one that is full only since its size was read is looked at as far as it was
            if stored is not None:
                self._times(number, rows, stored["latest"])
            await self._upper.add(self._root(number, said or made, made, stored))

    def _whole(self, number: int, stored: "asyncpg.Record | None") -> "asyncpg.Record | None":
        """Give what is stored of a tile, unless it is not even as many hashes as a tile has."""
        if stored is None or len(stored["hashes"]) == TILE_WIDTH * HASH_BYTES:
            return stored
        words = f"tile {number} of level 0 is of {len(stored['hashes'])} bytes"
        self._findings.add(Finding(kind=Kind.TILE_CHANGED, words=words, tile=(0, number)))
        return None

    def _hashes(self, number: int, width: int, rows: Sequence[Columns], said: Sequence[bytes] | None) -> list[bytes]:
        """Hash the entries of a tile; for those that are not there, or only as hashes, take what was stored."""
        first = number * TILE_WIDTH + 1
        if len(rows) == width and all(row[-1] for row in rows):
            entries = [entry_of(row) for row in rows]
            if max(map(len, entries)) <= LONGEST:
                return [leaf_hash(entry) for entry in entries]
        made = list(said) if said is not None else [_UNKNOWN] * width
        for row in rows:
            if not row[-1]:
                continue
            entry = entry_of(row)
            made[row[0] - first] = leaf_hash(entry)
            if len(entry) > LONGEST:
                words = f"the entry at position {row[0]} is of {len(entry)} bytes, and may be of {LONGEST}"
                self._findings.add(Finding(kind=Kind.ENTRY_BROKEN, words=words, position=row[0], stream=row[1], version=row[2]))
        return made

    def _differ(self, number: int, made: Sequence[bytes], said: Sequence[bytes], rows: Sequence[Columns]) -> None:
        """Begin to grow the tree of the entries beside that of the stored hashes."""
        places = {row[0]: row for row in rows}
        found: list[Differs] = []
        for position, (is_now, was) in enumerate(zip(made, said, strict=True), number * TILE_WIDTH + 1):
            if is_now != was:
                found.append(Differs(position, places[position][1], places[position][2], is_now, was))
        self._comparer.differ(found, made, said)
        self._made = self._made or self._tree.copy()

    async def _grow(self, start: int, said: Sequence[bytes], made: Sequence[bytes]) -> None:
        """Add a tile's entries, stopping at each checkpoint on the way."""
        at = 0
        while (held := await self._published.next_up_to(start + len(said))) is not None:
            to = held.size - start
            self._add(said[at:to], made[at:to])
            at = to
            self._hold(held)
            if self._made is None and said[at:] != made[at:]:
                self._made = self._tree.copy()
        if at == 0 and len(said) == TILE_WIDTH:
            self._tree.add(perfect_root(said), TILE_HEIGHT)
            if self._made is not None:
                self._made.add(perfect_root(made), TILE_HEIGHT)
        else:
            self._add(said[at:], made[at:])

    def _add(self, said: Sequence[bytes], made: Sequence[bytes]) -> None:
        self._tree.add_all(said)
        if self._made is not None:
            self._made.add_all(made)

    def _hold(self, held: Held) -> None:
        """Hold a checkpoint against the tree that has grown up to it, or against either where there are two."""
        stored = self._tree.root()
        made = stored if self._made is None else self._made.root()
        self._judge.told(held, same=held.root in (stored, made))
        if self._made is not None and stored != made and held.root in (stored, made):
            self._comparer.settle(entries_are_signed=held.root == made, up_to=held.size)
            self._tree, self._made = (self._made if held.root == made else self._tree), None

    def _root(self, number: int, said: Sequence[bytes], made: Sequence[bytes], stored: "asyncpg.Record | None") -> bytes:
        """Give the root over a full tile: of the two that what is stored above was made of, where entries and hashes differ."""
        root = perfect_root(said)
        if stored is None or root == stored["root"]:
            return root
        of_entries = perfect_root(made)
        if of_entries != stored["root"]:
            words = f"what tile {number} of level 0 is said to hash to is not what it hashes to"
            self._findings.add(Finding(kind=Kind.TILE_CHANGED, words=words, tile=(0, number)))
            return root
        return of_entries

    def _times(self, number: int, rows: Sequence[Columns], said: int | None) -> None:
        """Hold the time that is stored for the end of a tile against the events up to there."""
        if len(rows) < TILE_WIDTH:
            self._latest = said
            return
        newest = max(map(_RECORDED_AT, rows))
        self._latest = newest if self._latest is None else max(self._latest, newest)
        if self._latest != said:
            words = f"the time in the log at position {(number + 1) * TILE_WIDTH} is not the one that is stored for it"
            self._findings.add(Finding(kind=Kind.TIME_DIFFERS, words=words, position=(number + 1) * TILE_WIDTH))
            self._latest = said
