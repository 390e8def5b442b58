"""A bundle on its way: files that appear whole or not at all, and how far it is, so that it can be gone on with."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct

FORMAT = "minos-audit-bundle/1"
MANIFEST, UNFINISHED = "manifest.json", "unfinished.json"
PART = 65_536
"""Entries under one digest: those of a full tile of level 1."""


class NotExported(Exception):
    """There is no bundle, or none yet. The message says why, and what can be done."""


class Part(Struct, frozen=True, kw_only=True):
    """Entries of these positions, both in it; the digest is over their tiles of entries, one after the other."""

    first: int
    last: int
    pruned: int
    sha256: str


class Unfinished(Struct, frozen=True, kw_only=True):
    """What is being exported, and the parts that are there already."""

    format: str
    origin: str
    epoch: int
    size: int
    note: str
    parts: tuple[Part, ...] = ()


class Manifest(Struct, frozen=True, kw_only=True):
    """What a bundle says of itself (docs/reference/log-format.md). It proves nothing: it tells damage on the way from falsification."""

    format: str
    origin: str
    epoch: int
    size: int
    root: str
    made_at: str
    pruned: int
    checkpoints: int
    parts: tuple[Part, ...]
    files: dict[str, str]


class Folder:
    """Files below one folder. Each is written beside its place and moved there when it is whole."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def put(self, name: str, content: bytes) -> None:
        target = self.path / name
        beside = target.with_name(f".{target.name}.part")
        try:
            beside.write_bytes(content)
        except FileNotFoundError:
            target.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(content)
        beside.replace(target)

    def read(self, name: str) -> bytes:
        """Raises NotExported where it cannot be read."""
        try:
            return (self.path / name).read_bytes()
        except OSError as error:
            raise NotExported(f"{self.path / name} cannot be read: {error.strerror}") from None

    def begin(self, wanted: Unfinished, *, resume: bool) -> Unfinished:
        """Give what is to be exported: what is wanted, or with `resume` what was begun here. Raises NotExported."""
        there = self.path.exists() and any(self.path.iterdir())
        if there and not resume:
            raise NotExported(f"{self.path} is not empty; go on with what was begun there with --resume, or name another folder")
        if not there:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.note(wanted)
            return wanted
        if (self.path / MANIFEST).exists():
            raise NotExported(f"{self.path} holds a bundle that is whole; name another folder")
        try:
            begun = msgspec.json.decode(self.read(UNFINISHED), type=Unfinished)
        except msgspec.MsgspecError:
            raise NotExported(f"{self.path / UNFINISHED} cannot be read; name another folder") from None
        if (begun.format, begun.origin, begun.epoch) != (wanted.format, wanted.origin, wanted.epoch) or begun.size > wanted.size:
            raise NotExported(f"{self.path} was begun with another log, or another epoch of this one; name another folder")
        return begun

    def note(self, so_far: Unfinished) -> None:
        self.put(UNFINISHED, msgspec.json.encode(so_far))

    def end(self, manifest: Manifest) -> None:
        """From now on it is a bundle."""
        self.put(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1))
        (self.path / UNFINISHED).unlink(missing_ok=True)

    def digests(self, names: Sequence[str]) -> dict[str, str]:
        return {name: _digest(self.path / name) for name in names}


def parts_of(size: int) -> Iterator[tuple[int, int]]:
    """Give the first and the last position of each part."""
    for start in range(0, size, PART):
        yield start + 1, min(size, start + PART)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        found = sha256()
        while block := file.read(2**20):
            found.update(block)
    return found.hexdigest()
