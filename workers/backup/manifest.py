"""What a backup says of itself: what was copied of which moment, and the digest of each file. Sealed by a root key."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from io import BufferedReader
from pathlib import Path

import msgspec
from msgspec import Struct

from adapters import plain_file

FORMAT = 1
MANIFEST, SEAL, DUMP, CHECKPOINT, SETTINGS, MONTHS = (
    "manifest.json", "manifest.seal", "database.dump", "checkpoint", "settings.json", "months",
)  # fmt: skip
_LARGEST = 16 * 2**20


class BadBackup(Exception):
    """What lies there is no backup that can be believed. The message says what is wrong with it."""


class FileSum(Struct, frozen=True, kw_only=True):
    bytes: int
    sha256: str


class Manifest(Struct, frozen=True, kw_only=True):
    """`tables`: rows by name, of the moment that the dump is of, as `size` is: the events that have a position. `roles` own what is in it.
    `checkpoint`: how many events are under the newest one, 0 without one. `files`: by name, of everything but manifest and seal. `pieces`:
    the digests of the pieces of the dump, in their order."""

    format: int = FORMAT
    made_at: datetime
    release: str
    issuer: str
    postgres: int
    migrations: int
    epoch: int
    size: int
    checkpoint: int
    roles: Sequence[str]
    tables: Mapping[str, int]
    files: Mapping[str, FileSum]
    pieces: Sequence[str]

    @property
    def bytes(self) -> int:
        return sum(each.bytes for each in self.files.values())

    @property
    def has_months(self) -> bool:
        return any(name.startswith(f"{MONTHS}/") for name in self.files)


def encoded(manifest: Manifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest)) + b"\n"


def decoded(data: bytes) -> Manifest:
    """Raises BadBackup."""
    try:
        found = msgspec.json.decode(data, type=Manifest)
    except msgspec.MsgspecError as error:
        raise BadBackup(f"its manifest is none: {error}") from None
    if found.format != FORMAT:
        raise BadBackup(f"its manifest is of format {found.format}, and this release reads {FORMAT}")
    return found


def read(folder: Path, name: str = MANIFEST) -> bytes:
    """Raises BadBackup."""
    try:
        with opened(folder / name) as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise BadBackup(f"{folder / name} cannot be read ({error.strerror}): is {folder} a backup?") from None
    if len(data) > _LARGEST:
        raise BadBackup(f"{folder / name} is too large")
    return data


def content(folder: Path, name: str, manifest: Manifest) -> bytes:
    """Read one of the small files as it was sealed, whoever writes into the folder meanwhile. Raises BadBackup."""
    data = read(folder, name)
    if manifest.files.get(name) != FileSum(bytes=len(data), sha256=hashlib.sha256(data).hexdigest()):
        raise BadBackup(f"{folder / name} was changed while it was being restored")
    return data


def sums(folder: Path) -> dict[str, FileSum]:
    """Look at every file that is to be in the manifest."""
    return {name: _sum(folder / name) for name in _names(folder) if name not in {MANIFEST, SEAL}}


def differences(folder: Path, manifest: Manifest) -> list[str]:
    """Give, in words, what is not as the manifest has it."""
    there = set(_names(folder)) - {MANIFEST, SEAL}
    wrong = [f"{name} is missing" for name in sorted(set(manifest.files) - there)]
    wrong += [f"{name} is not of this backup" for name in sorted(there - set(manifest.files))]
    return wrong + [f"{name} was changed" for name in sorted(there & set(manifest.files)) if not _is(folder / name, manifest.files[name])]


def _names(folder: Path) -> Iterator[str]:
    return (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_symlink() or not path.is_dir())


def _is(path: Path, expected: FileSum) -> bool:
    """A link, a pipe or a device is not what was written there: one of these leads elsewhere, the others have no end."""
    try:
        return path.lstat().st_size == expected.bytes and _sum(path) == expected
    except OSError:
        return False


def opened(path: Path) -> BufferedReader:
    """Raises OSError for anything but a plain file."""
    return plain_file.opened(path, through_links=False)


def _sum(path: Path) -> FileSum:
    with opened(path) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return FileSum(bytes=file.tell(), sha256=digest)
