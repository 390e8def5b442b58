"""Where backups lie: each in a folder of its own, named by its moment, that has its name only when it is whole and on disk."""

import os
import re
import shutil
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from adapters.children import hold_folder
from workers.backup.manifest import MANIFEST, BadBackup, Manifest, decoded, read

_NAME = re.compile(r"minos-(\d{8}T\d{6})Z")
_FORM = "%Y%m%dT%H%M%S"
_UNFINISHED = ".unfinished-"


class Lying(Struct, frozen=True, kw_only=True):
    path: Path
    made_at: datetime


def name_of(made_at: datetime) -> str:
    return f"minos-{made_at.astimezone(UTC):{_FORM}}Z"


def backups(parent: Path) -> Sequence[Lying]:
    """Give the whole ones, the oldest first."""
    found = [(each, _NAME.fullmatch(each.name)) for each in parent.iterdir() if (each / MANIFEST).is_file()]
    made = [Lying(path=path, made_at=datetime.strptime(name[1], _FORM).replace(tzinfo=UTC)) for path, name in found if name]
    return sorted(made, key=lambda each: each.made_at)


@contextmanager
def unfinished(parent: Path) -> Generator[Path]:
    """Give a folder to fill, which nobody takes for a backup; what is left of it in the end goes, as what earlier crashes left.

    Raises AlreadyRunning where another is being made there.
    """
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = hold_folder(parent)
    try:
        for left in parent.glob(f"{_UNFINISHED}*"):
            _take_away(left)
        folder = parent / f"{_UNFINISHED}{os.getpid()}"
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


def finish(folder: Path, made_at: datetime) -> Path:
    """Put it on disk, and only then under its name. Raises BadBackup where there is one of that second."""
    for path in folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    for path in [*folder.rglob("*"), folder]:
        _flush(path)
    target = folder.with_name(name_of(made_at))
    try:
        folder.rename(target)
    except OSError as error:
        raise BadBackup(f"{target} cannot be made: {error.strerror}") from None
    _flush(target.parent)
    return target


def refuse_renamed(folder: Path, manifest: Manifest) -> None:
    """The newest is found by its name, so that an older one could be put in its place. Raises BadBackup."""
    if _NAME.fullmatch(folder.name) and folder.name != name_of(manifest.made_at):
        raise BadBackup(f"{folder} is not of the moment that its name says: it was made as {name_of(manifest.made_at)}")


def own(parent: Path, issuer: str) -> Sequence[Lying]:
    """Give those that say that they are of this authority, the oldest first: others may keep theirs beside them."""
    return [each for each in backups(parent) if not each.path.is_symlink() and _issuer(each.path) == issuer]


def expire(parent: Path, issuer: str, *, keep: int, made_before: datetime) -> Sequence[Path]:
    """Take away all of this authority's but the newest `keep`, and of those what is older. The newest of all stays."""
    lying = own(parent, issuer)
    gone = [each.path for each in lying[:-1] if each in lying[:-keep] or each.made_at < made_before]
    for path in gone:
        scratch = path.with_name(f"{_UNFINISHED}{path.name}")
        path.rename(scratch)  # first: half of one would look like a whole one
        shutil.rmtree(scratch)
    return gone


def _take_away(path: Path) -> None:
    """Whatever it is; of a link, only the link."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _issuer(folder: Path) -> str | None:
    try:
        return decoded(read(folder)).issuer
    except BadBackup:
        return None  # whose it is nobody knows: it is left


def _flush(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
