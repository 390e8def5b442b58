"""`minos audit export`: the log up to its newest checkpoint, in the layout of C2SP tlog-tiles, with all that is needed to check it."""

from base64 import b64encode
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from time import monotonic

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from adapters.checkpoint_key import LogName
from adapters.cycles import no_search_for_cycles
from domain.errors import UnknownEventTag
from domain.leaf import LONGEST
from domain.tree.checkpoint import read_checkpoint
from domain.tree.hashing import leaf_hash, split
from domain.tree.nodes import TILE_WIDTH
from domain.tree.note import read_note
from domain.tree.tiles import pack_entries, tile_path
from workers.audit.announced import Announced
from workers.audit.bundle import FORMAT, PART, Folder, Manifest, NotExported, Part, Unfinished, parts_of
from workers.audit.bundle_check import check
from workers.audit.entries import Columns, entry_of
from workers.audit.findings import Findings
from workers.audit.held_back import HeldBack
from workers.audit.reading import LogSource, Page
from workers.audit.verify import Advance

CHECKPOINTS = 10_000
"""Lines of a file."""
_ALL = 2**62


class Exported(Struct, frozen=True, kw_only=True):
    folder: str
    origin: str
    size: int
    pruned: int
    checkpoints: int
    seconds: float
    per_second: float


async def export(url: str, path: Path, *, resume: bool = False, progress: Callable[[Advance], None] = lambda _: None) -> Exported:
    """Write a bundle, read it back, and only then call it one. Killed on the way, it is gone on with by `resume`.

    Raises NotExported, what asyncpg does, OSError.
    """
    began = monotonic()
    source = await LogSource.open(url)
    try:
        with no_search_for_cycles():
            return await _Export(source, Folder(path), progress, began).run(resume=resume)
    finally:
        await source.close()


class _Export:
    def __init__(self, source: LogSource, folder: Folder, progress: Callable[[Advance], None], began: float) -> None:
        self._source = source
        self._folder = folder
        self._progress = progress
        self._began = began
        self._findings = Findings()
        self._held_back = HeldBack(Announced((), (), ()), self._announced, self._findings)

    async def run(self, *, resume: bool) -> Exported:
        name, wanted = await self._wanted()
        begun = self._folder.begin(wanted, resume=resume)
        said = await self._source.announced(begun.size)
        for first, last in parts_of(begun.size):
            if first > len(begun.parts) * PART:
                part = await self._part(first, last, begun.size, said)
                begun = replace(begun, parts=(*begun.parts, part))
                self._folder.note(begun)
        await self._upper_tiles(begun.size)
        files = await self._checkpoints(begun)
        self._folder.put("checkpoint", begun.note.encode())
        self._folder.put("key", "".join(f"{name.verifier(epoch).line()}\n" for epoch in range(1, begun.epoch + 1)).encode())
        root = read_checkpoint(read_note(begun.note).text).root
        manifest = Manifest(
            format=FORMAT, origin=begun.origin, epoch=begun.epoch, size=begun.size, root=b64encode(root).decode(),
            made_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), pruned=sum(part.pruned for part in begun.parts),
            checkpoints=sum(files.values()), parts=begun.parts, files=self._folder.digests(["checkpoint", "key", *files]),
        )  # fmt: skip
        check(self._folder, manifest, lambda done: self._tell("reading back", done, begun.size))
        self._folder.end(manifest)
        seconds = monotonic() - self._began
        return Exported(
            folder=str(self._folder.path), origin=begun.origin, size=begun.size, pruned=manifest.pruned,
            checkpoints=manifest.checkpoints, seconds=seconds, per_second=begun.size / max(seconds, 0.001),
        )  # fmt: skip

    async def _wanted(self) -> tuple[LogName, Unfinished]:
        """Give the log up to its newest checkpoint. Raises NotExported."""
        names = await self._source.names()
        _, epoch = await self._source.size()
        newest = await self._source.newest(epoch)
        if not names or newest is None:
            raise NotExported("nothing was published of this epoch of the log yet: the integrator has not signed a checkpoint")
        size, note = newest
        return names[0], Unfinished(format=FORMAT, origin=names[0].origin(epoch), epoch=epoch, size=size, note=note)

    async def _part(self, first: int, last: int, size: int, said: Announced) -> Part:
        """Write the tiles of a part, each entry once it hashes as was stored, or the log says in what is exported that it went.

        Raises NotExported.
        """
        digest, pruned = sha256(), 0
        async with aclosing(self._tiles((first - 1) // TILE_WIDTH, last)) as tiles:
            async for number, packed, hashes, without in tiles:
                width = len(hashes) // 32
                _see_covered(without, said)
                self._folder.put(tile_path("entries", number, width), packed)
                self._folder.put(tile_path(0, number, width), hashes)
                digest.update(packed)
                pruned += len(without)
                self._tell("entries", number * TILE_WIDTH + width, size)
        return Part(first=first, last=last, pruned=pruned, sha256=digest.hexdigest())

    async def _tiles(self, first: int, last: int) -> AsyncGenerator[tuple[int, bytes, bytes, Sequence[int]]]:
        """Give of each tile its number, its entries, its hashes, and the positions of which hashes alone are there."""
        async with aclosing(self._source.pages(first, last)) as pages:
            async for page in pages:
                for number, rows in page.by_tile(last):
                    width = min(TILE_WIDTH, last - number * TILE_WIDTH)
                    await self._all_there(number * TILE_WIDTH + 1, width, rows)
                    entries = _entries(number, width, rows)
                    without = [position for position, entry in enumerate(entries, number * TILE_WIDTH + 1) if not entry]
                    yield number, pack_entries(entries), _hashes(page, number, entries), without

    async def _all_there(self, first: int, width: int, rows: Sequence[Columns]) -> None:
        """An event may be there as a hash alone where the log says so. Raises NotExported."""
        if len(rows) < width or not all(row[-1] for row in rows):
            await self._held_back.look(first, first + width - 1, rows)
        for finding in self._findings.kept:
            raise NotExported(f"{finding.words}: see `minos audit verify`")

    async def _announced(self) -> Announced:
        try:
            return await self._source.announced()
        except (UnknownEventTag, msgspec.MsgspecError) as error:
            raise NotExported(f"the stream log cannot be read, {type(error).__name__}: see `minos audit verify`") from error

    async def _upper_tiles(self, size: int) -> None:
        """Write the tiles of level 1 and above: full ones as they are stored, those at the edge from what is below them."""
        level, hashes = 1, size // TILE_WIDTH
        while hashes:
            for number in range(-(-hashes // TILE_WIDTH)):
                width = min(TILE_WIDTH, hashes - number * TILE_WIDTH)
                roots = await self._source.roots(level - 1, number * TILE_WIDTH, width)
                self._folder.put(tile_path(level, number, width), b"".join(roots))
            level, hashes = level + 1, hashes // TILE_WIDTH

    async def _checkpoints(self, begun: Unfinished) -> dict[str, int]:
        """Write every checkpoint that was published up to the one that is exported; give the files and the lines of each."""
        files: dict[str, int] = {}
        for epoch in range(1, begun.epoch + 1):
            after, count = 0, 0
            up_to = begun.size if epoch == begun.epoch else _ALL
            while records := await self._source.checkpoints(epoch, after, up_to, CHECKPOINTS):
                lines = [msgspec.json.encode({"size": record["size"], "note": record["note"]}) + b"\n" for record in records]
                after = records[-1]["size"]
                name = f"checkpoints/{epoch}/{count:06}.ndjson"
                self._folder.put(name, b"".join(lines))
                files[name] = len(lines)
                count += 1
        return files

    def _tell(self, stage: str, done: int, total: int) -> None:
        rate = done / max(monotonic() - self._began, 0.001)
        self._progress(Advance(stage=stage, done=done, total=total, per_second=rate))


def _see_covered(without: Sequence[int], said: Announced) -> None:
    """Raises NotExported for an entry that is gone, and what is exported would not say so: whoever reads it would call it withheld."""
    for position in without:
        if said.pruned_at(position) is None and not said.is_detached(position):
            raise NotExported(
                f"the entry at position {position} is gone, and no checkpoint covers yet what the log says of it: "
                "export again once one does, or see `minos audit verify`"
            )


def _entries(number: int, width: int, rows: Sequence[Columns]) -> list[bytes]:
    """Give the entries of a tile, one of no bytes for each that is there as a hash alone. Raises NotExported."""
    entries = [b""] * width
    for row in rows:
        entry = entry_of(row) if row[-1] else b""
        if len(entry) > LONGEST:
            raise NotExported(f"the entry at position {row[0]} is longer than {LONGEST} bytes: see `minos audit verify`")
        entries[row[0] - number * TILE_WIDTH - 1] = entry
    return entries


def _hashes(page: Page, number: int, entries: Sequence[bytes]) -> bytes:
    """Give the hashes of a tile, once its entries are what was hashed. Raises NotExported."""
    stored = page.tiles.get(number)
    said = None if stored is None else split(stored["hashes"])
    for at, entry in enumerate(entries):
        position = number * TILE_WIDTH + at + 1
        if not entry and said is None:
            raise NotExported(f"there is no event at position {position}, and no hash of it: see `minos audit verify`")
        if entry and said is not None and leaf_hash(entry) != said[at]:
            raise NotExported(f"the event at position {position} is not the one that was hashed: see `minos audit verify`")
    return b"".join(leaf_hash(entry) for entry in entries) if stored is None else bytes(stored["hashes"])
