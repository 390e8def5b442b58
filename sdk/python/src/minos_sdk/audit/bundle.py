"""The files of a bundle, read one by one and never believed."""

import errno
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from minos_sdk.audit.entries import LONGEST, BrokenEntry, split
from minos_sdk.audit.hashing import WIDTH
from minos_sdk.audit.notes import LogKey

FORMAT = "minos-audit-bundle/1"
PART = 65_536
"""Entries that one digest of the manifest is over."""
_LONGEST_MANIFEST = 512 * 2**20
_LONGEST_NOTE = 2**20
_MOST_MISSING = 1_000
"""Tiles of entries that a damaged bundle may lack. Where more of them are not there, its manifest is of something else."""
CHECKPOINTS = re.compile(r"checkpoints/[1-9][0-9]{0,8}/[0-9]{6,12}\.ndjson")
"""Files of published checkpoints. A manifest may name others: they are not read."""


class NotABundle(ValueError):
    """A folder holds no bundle of a format that is known. The message says why."""


class Unreadable(ValueError):
    """A file is missing, too long, or not of its form. `path` is within the bundle."""

    def __init__(self, path: str, words: str) -> None:
        super().__init__(f"{path} {words}")
        self.path = path


@dataclass(frozen=True, slots=True)
class Part:
    first: int
    last: int
    digest: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What whoever made the bundle says of it: nothing is proved by that, but damage on the way is found."""

    origin: str
    epoch: int
    size: int
    pruned: int
    checkpoints: int
    parts: Sequence[Part]
    files: Mapping[str, str]


def tile_path(level: str, number: int, width: int) -> str:
    """Give the path of a tile (C2SP tlog-tiles): three digits a folder, all but the last with an x before them."""
    groups = f"{number % 1000:03}"
    while number := number // 1000:
        groups = f"x{number % 1000:03}/{groups}"
    return f"tile/{level}/{groups}" + ("" if width == WIDTH else f".p/{width}")


class Bundle:
    """Raises NotABundle where there is no manifest to begin with."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            self.manifest = _manifest(self.read("manifest.json", _LONGEST_MANIFEST))
        except (Unreadable, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            unfinished = (folder / "unfinished.json").is_file()
            words = "its export is not finished; `minos audit export --resume` goes on with it" if unfinished else _words(error)
            raise NotABundle(f"{folder} is no bundle of {FORMAT}: {words}") from None
        self._is_there()

    def _is_there(self) -> None:
        """A walk through what is not there would have no end: a manifest may say any size. Raises NotABundle."""
        tiles = -(-self.manifest.size // WIDTH)
        if tiles <= _MOST_MISSING:
            return
        there = sum(len(files) for _, _, files in os.walk(self._folder / "tile/entries"))
        if there < tiles - _MOST_MISSING:
            said = f"manifest.json says that it has {self.manifest.size} entries, in {tiles} tiles, and {there} tiles are there"
            raise NotABundle(f"{self._folder} is no bundle of {FORMAT}: {said}")

    def read(self, path: str, longest: int) -> bytes:
        """Raises Unreadable."""
        try:
            with open(self._folder / path, "rb", opener=_of_a_file) as file:
                raw = file.read(longest + 1)
        except OSError as error:
            raise Unreadable(path, f"cannot be read: {error.strerror}") from None
        if len(raw) > longest:
            raise Unreadable(path, f"is longer than {longest} bytes")
        return raw

    @property
    def keys(self) -> Sequence[LogKey]:
        """The keys the bundle itself brings: to be compared with those known from elsewhere. Raises Unreadable, NotAKey."""
        return [LogKey.parse(line) for line in self.read("key", 65_536).decode("utf-8", "replace").splitlines() if line]

    def checkpoint(self) -> bytes:
        return self.read("checkpoint", _LONGEST_NOTE)

    def checkpoints(self, path: str) -> Iterator[bytes]:
        """Give the notes of one file, each a line of JSON. Raises Unreadable."""
        try:
            with open(self._folder / path, "rb", opener=_of_a_file) as lines:
                while line := lines.readline(_LONGEST_NOTE):
                    yield _note(path, line)
        except OSError as error:
            raise Unreadable(path, f"cannot be read: {error.strerror}") from None

    def entries_raw(self, number: int, width: int) -> bytes:
        return self.read(tile_path("entries", number, width), WIDTH * (LONGEST + 2))

    def entries(self, number: int, width: int, raw: bytes) -> Sequence[bytes]:
        try:
            return split(raw, width)
        except BrokenEntry as error:
            raise Unreadable(tile_path("entries", number, width), str(error)) from None

    def hashes(self, level: int, number: int, width: int) -> Sequence[bytes]:
        """Give the hashes of a tile. Raises Unreadable."""
        path = tile_path(str(level), number, width)
        raw = self.read(path, 32 * WIDTH)
        if len(raw) != 32 * width:
            raise Unreadable(path, f"is of {len(raw)} bytes, and should be of {32 * width}")
        return [raw[at : at + 32] for at in range(0, len(raw), 32)]

    def digest(self, path: str) -> str:
        """Raises Unreadable."""
        try:
            with open(self._folder / path, "rb", opener=_of_a_file) as file:
                found = sha256()
                while block := file.read(2**20):
                    found.update(block)
        except OSError as error:
            raise Unreadable(path, f"cannot be read: {error.strerror}") from None
        return found.hexdigest()


def _of_a_file(path: str, flags: int) -> int:
    """What is none, such as a device or a pipe, would be read for ever. Raises OSError."""
    handle = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "it is no file")
    return handle


def _note(path: str, line: bytes) -> bytes:
    try:
        read: object = json.loads(line)
    except (ValueError, RecursionError):
        read = None
    note = cast("dict[str, object]", read).get("note") if isinstance(read, dict) else None
    if not isinstance(note, str):
        raise Unreadable(path, "has a line that says no note")
    return note.encode("utf-8", "surrogatepass")


def _words(error: Exception) -> str:
    match error:
        case KeyError(args=(name,)):
            return f"manifest.json does not say {name}"
        case json.JSONDecodeError() | UnicodeDecodeError() | TypeError() | AttributeError() | RecursionError():
            return "manifest.json is not of its form"
        case _:
            return str(error)


def _manifest(raw: bytes) -> Manifest:
    said = cast("dict[str, Any]", json.loads(raw))
    if said["format"] != FORMAT:
        raise ValueError(f"its format is {said['format']!r}")
    parts = [Part(int(part["first"]), int(part["last"]), str(part["sha256"])) for part in said["parts"]]
    ends = [0, *(part.last for part in parts)]
    if [part.first - 1 for part in parts] != ends[:-1] or ends[-1] != said["size"] or any(end % WIDTH for end in ends[1:-1]):
        raise ValueError("its parts do not cover the log")
    return Manifest(
        origin=str(said["origin"]),
        epoch=int(said["epoch"]),
        size=int(said["size"]),
        pruned=int(said["pruned"]),
        checkpoints=int(said["checkpoints"]),
        parts=parts,
        files={str(path): str(digest) for path, digest in cast("dict[str, object]", said["files"]).items()},
    )
