"""Whether each stream's versions are 1, 2, 3 ... in the order of the log, in bounded memory however many streams there are.

What was seen is sorted into files by the stream's hash, so that at the end each holds few streams, whole and in order.
"""

import secrets
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from struct import Struct

from minos_sdk.audit.entries import Place

_ROW = Struct(">16sQI")
_PER_FILE = 150_000
_MOST_FILES = 4_096
_UNWRITTEN = 32 * 2**20
"""Bytes kept before they are written, over all files."""


@dataclass(frozen=True, slots=True)
class Break:
    """At `position` a stream goes on with `version` where `after` versions were before it."""

    position: int
    version: int
    after: int

    @property
    def repeats(self) -> bool:
        return self.version <= self.after


class Streams:
    """Tell it every entry in the order of the log, then ask for the breaks. `folder` is emptied by its owner."""

    def __init__(self, folder: Path, entries: int) -> None:
        self._folder = folder
        self._files = max(1, min(_MOST_FILES, entries // _PER_FILE))
        self._room = _UNWRITTEN // self._files
        self._unwritten = [bytearray() for _ in range(self._files)]
        # Names are hashed under a key of this run: whoever wrote them cannot have chosen two that collide.
        self._key = secrets.token_bytes(16)
        self._pruned = _Pruned()
        self.count = 0

    def seen(self, position: int, place: Place) -> None:
        name = blake2b(place.stream.encode(), digest_size=16, key=self._key).digest()
        file = int.from_bytes(name[:4]) % self._files
        rows = self._unwritten[file]
        rows += _ROW.pack(name, position, place.version)
        if len(rows) > self._room:
            self._write(file)

    def pruned(self, position: int) -> None:
        """An entry of which only the hash is left: it may be any one that is missing about there."""
        self._pruned.add(position)

    def breaks(self) -> Iterator[Break]:
        """Give what does not follow. A gap that pruned entries explain is none."""
        missing = 0
        for file in range(self._files):
            last: dict[bytes, tuple[int, int]] = {}
            for name, position, version in _ROW.iter_unpack(self._rows(file)):
                after, before = last.get(name, (0, 0))
                last[name] = (max(version, after), position)
                if version == after + 1:
                    continue
                found = Break(position, version, after)
                lacks = version - after - 1
                if not found.repeats and lacks <= self._pruned.between(before, position):
                    missing += lacks
                    if missing <= len(self._pruned):
                        continue
                yield found
            self.count += len(last)

    def _rows(self, file: int) -> bytes:
        path = self._path(file)
        written = path.read_bytes() if path.exists() else b""
        return written + bytes(self._unwritten[file])

    def _write(self, file: int) -> None:
        with self._path(file).open("ab") as out:
            out.write(self._unwritten[file])
        self._unwritten[file] = bytearray()

    def _path(self, file: int) -> Path:
        return self._folder / f"streams-{file}"


class _Pruned:
    """How many entries were pruned between two positions, at the most: counted by stretches of 256."""

    def __init__(self) -> None:
        self._stretches = array("Q")
        self._up_to = array("Q")
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, position: int) -> None:
        self._count += 1
        if self._stretches and self._stretches[-1] == position >> 8:
            self._up_to[-1] = self._count
        else:
            self._stretches.append(position >> 8)
            self._up_to.append(self._count)

    def between(self, first: int, last: int) -> int:
        begin, end = bisect_left(self._stretches, first >> 8), bisect_right(self._stretches, last >> 8)
        return (self._up_to[end - 1] if end else 0) - (self._up_to[begin - 1] if begin else 0)
