"""The tree in memory: its right edge, grown page by page, each full tile stored as it comes about.

What is stored is a function of the log: killed at any moment, the next one makes the edge again from the tiles and the events behind
them, and two at once store the same.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from adapters.postgres import Link, StatementRefused
from adapters.tree_store import SQL
from domain.leaf import micros
from domain.tree.edge import Edge, FullTile
from domain.tree.nodes import TILE_WIDTH, tile_widths
from workers.integrator.reading import moment, read_hashed

_DATA_CORRUPTED, _NOT_THE_NEXT = "XX001", "23514"
_TAKE_BACK = "`minos log regrow` takes back what was not published"


class LogChanged(Exception):
    """The log is not the one that was hashed: it became shorter, has another event at a place, or is of another epoch. Begin again."""


class TreeBroken(Exception):
    """The stored tree contradicts the log, which no work of ours brings about. The message says where, and what an operator can do."""


class Grown(Struct, frozen=True, kw_only=True):
    """What one step added. `oldest_at`: when the first event was recorded that it added, None without any."""

    added: int
    log_size: int
    oldest_at: datetime | None


class GrowingTree:
    """For one epoch of the log and one worker. Call `open` first; after an error, make another one."""

    def __init__(self, link: Link, epoch: int) -> None:
        self._link = link
        self.epoch = epoch
        self._edge = Edge()
        self._latest = -(2**63)
        """The log time: the newest `recorded_at` so far, in microseconds since 1970."""
        self._last: bytes | None = None
        """The hash of the last entry, once it was read: what follows must follow that."""

    @property
    def size(self) -> int:
        return self._edge.size

    def root(self) -> bytes:
        return self._edge.root()

    async def open(self, known: int) -> None:
        """Make the edge again from stored tiles. Those behind the first `known` entries are not believed, but made anew and compared, if
        their entries are there: whoever can store tiles could have stored them. Raises StoreUnavailable, TreeBroken."""
        ((stored, gone),) = await self._link.read(SQL["tiles_stored"])
        full = min(stored, max(known // TILE_WIDTH, -(-gone // TILE_WIDTH)))
        rows: dict[int, Sequence[bytes]] = {}
        for level, number, width in tile_widths(full * TILE_WIDTH):
            rows[level] = [row[0] for row in await self._link.read(SQL["roots"], level - 1, number * TILE_WIDTH, width)]
        try:
            self._edge = Edge.of(full * TILE_WIDTH, rows)
        except ValueError as error:
            raise TreeBroken(f"tiles are missing: {error}. {_TAKE_BACK}") from error
        times = await self._link.read(SQL["latest_time"], full - 1)
        self._latest = micros(times[0][0]) if times else -(2**63)
        self._last = None

    async def step(self, limit: int) -> Grown:
        """Add at most `limit` entries. Raises StoreUnavailable, LogBroken, LogChanged, TreeBroken: then this tree is of no more use."""
        again = self._last is not None  # read the last entry too: a log that has another one there is another log
        page = await read_hashed(self._link, self.size - again, limit + again)
        if page.epoch != self.epoch:
            raise LogChanged(f"the log is of epoch {page.epoch} now")
        if page.size < self.size:
            raise LogChanged(f"the log ends at {page.size}, the tree at {self.size}")
        if again and page.hashes[0] != self._last:
            raise LogChanged(f"the log has another event at {self.size} than was hashed")
        hashes, times = page.hashes[again:], page.times[again:]
        if hashes:
            await self._store(*self._grow(hashes, times))
            self._last = hashes[-1]
        await self._see_tiles()
        return Grown(added=len(hashes), log_size=page.size, oldest_at=moment(times[0]) if times else None)

    async def _see_tiles(self) -> None:
        """Others of this log may have stored more than this one. Raises LogChanged where an operator took tiles back."""
        ((stored, _),) = await self._link.read(SQL["tiles_stored"])
        if stored < self.size // TILE_WIDTH:
            raise LogChanged(f"of the tiles up to {self.size} the first {stored} are stored")

    def _grow(self, hashes: Sequence[bytes], times: Sequence[int]) -> tuple[list[FullTile], list[datetime]]:
        """Give the tiles that became full, and for those of level 0 the log time at their ends."""
        full: list[FullTile] = []
        ends: list[datetime] = []
        while hashes:
            room = TILE_WIDTH - self.size % TILE_WIDTH
            self._latest = max(self._latest, *times[:room])
            full += self._edge.add(hashes[:room])
            if len(hashes) >= room:
                ends.append(moment(self._latest))
            hashes, times = hashes[room:], times[room:]
        return full, ends

    async def _store(self, full: Sequence[FullTile], times: Sequence[datetime]) -> None:
        if not full:
            return
        remaining = iter(times)
        try:
            await self._link.fetch(
                SQL["store_tiles"],
                [tile.level for tile in full],
                [tile.tile for tile in full],
                [tile.hashes for tile in full],
                [tile.root for tile in full],
                [next(remaining) if tile.level == 0 else None for tile in full],
            )
        except StatementRefused as refused:
            if refused.sqlstate == _DATA_CORRUPTED:
                raise TreeBroken(f"another tile is stored among those up to {self.size} than the log makes. {_TAKE_BACK}") from refused
            if refused.sqlstate == _NOT_THE_NEXT:
                raise LogChanged(f"tiles before those up to {self.size} are not stored any more") from refused
            raise
