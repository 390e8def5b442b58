"""A folder as second place: better on another disk than the database's, and best on another machine's.

A file is written beside, flushed and renamed into place, under a lock that one process at a time has: whoever reads finds the old or the
new, whole, and a crash leaves at most a scratch file that the next writer of that name writes over.
"""

import asyncio
import fcntl
import os
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from adapters.second_place.place import Kept, PlaceAway, PlaceChanged, check_name, check_prefix

LOCK_SECONDS = 5.0
_LOOK_SECONDS = 0.01


class FolderPlace:
    """Any number of processes may share the folder; it must be on a file system whose locks they share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __repr__(self) -> str:
        return f"FolderPlace({str(self._folder)!r})"

    async def get(self, name: str) -> Kept | None:
        path = self._folder / check_name(name)
        return await asyncio.to_thread(_read, path)

    async def put(self, name: str, data: bytes, *, expect: str | None) -> str:
        path = self._folder / check_name(name)
        return await asyncio.to_thread(self._put, path, data, expect)

    async def names(self, prefix: str) -> Sequence[str]:
        return await asyncio.to_thread(self._names, check_prefix(prefix))

    async def close(self) -> None:
        """Nothing is held open."""

    def _put(self, path: Path, data: bytes, expect: str | None) -> str:
        with _in_words(path), self._locked():
            there = _read(path)
            if (there.version if there else None) != expect:
                raise PlaceChanged(f"{path} is not what was expected there")
            _make_folder(path.parent)
            _replace(path, data)
        return _version(data)

    def _names(self, prefix: str) -> list[str]:
        under = self._folder / prefix
        with _in_words(under):
            found = [
                str(Path(folder, file).relative_to(self._folder))
                for folder, _, files in os.walk(under, onerror=_unless_missing)
                for file in files
                if not file.startswith(".")
            ]
        return sorted(found)

    @contextmanager
    def _locked(self) -> Generator[None, None, None]:
        _make_folder(self._folder)
        lock = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            _wait_for(lock, self._folder)
            yield
        finally:
            os.close(lock)


def _wait_for(lock: int, folder: Path) -> None:
    until = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise PlaceAway(f"{folder} has been locked by another process for {LOCK_SECONDS:.0f} s") from None
            time.sleep(_LOOK_SECONDS)


def _read(path: Path) -> Kept | None:
    with _in_words(path):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
    return Kept(data=data, version=_version(data))


def _version(data: bytes) -> str:
    """Of what is kept, not of when: who finds there again what it knows has nothing to decide anew."""
    return sha256(data).hexdigest()


def _replace(path: Path, data: bytes) -> None:
    scratch = path.with_name(f".{path.name}")
    with open(scratch, "wb", opener=_private) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
    _flush_folder(path.parent)


def _private(path: str, flags: int) -> int:
    """Nobody else reads it, and where somebody put a link for us to write through, it is not followed."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def _make_folder(folder: Path) -> None:
    """Make it and what leads to it, each entered in the folder above for good."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    _flush_folder(folder.parent)


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


@contextmanager
def _in_words(path: Path) -> Generator[None, None, None]:
    try:
        yield
    except OSError as error:
        raise PlaceAway(f"{path}: {error.strerror or type(error).__name__}") from error
