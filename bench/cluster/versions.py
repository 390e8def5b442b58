"""The version of this one, and the one before the newest migration, as folders that programs can be run from."""

import io
import re
import subprocess
import sys
import tarfile
from pathlib import Path

from msgspec import Struct

from bench.arguments import HERE

ROOT = HERE.parent
_SETTINGS = "from adapters.settings import Settings; print(*Settings.__struct_fields__)"


class NoVersionBefore(Exception):
    """There is no history to take it from. The message says why."""


class Version(Struct, frozen=True, kw_only=True):
    """`level`: its newest migration. `settings`: those it knows, which it would refuse others beside."""

    tree: Path
    level: int
    commit: str
    settings: frozenset[str]


def this_version() -> Version:
    return _version(ROOT, "this one")


def version_before(folder: Path) -> Version:
    """Unpack into `folder` the last commit whose newest migration is one lower than ours. Raises NoVersionBefore."""
    newest = max((ROOT / "migrations").glob("[0-9]*.sql"))
    added = _git("log", "--diff-filter=A", "--format=%H", "-1", "--", f"migrations/{newest.name}").decode().strip()
    if not added:
        raise NoVersionBefore("the newest migration is in no commit yet")
    before = _git("rev-parse", "--short=12", f"{added}^").decode().strip()
    with tarfile.open(fileobj=io.BytesIO(_git("archive", before))) as archive:
        archive.extractall(folder, filter="data")
    version = _version(folder, before)
    if version.level != _level(ROOT) - 1:
        raise NoVersionBefore(f"the commit before migration {_level(ROOT)} has migration {version.level}")
    return version


def _version(tree: Path, commit: str) -> Version:
    asked = subprocess.run([sys.executable, "-c", _SETTINGS], cwd=tree, check=True, capture_output=True, text=True, timeout=30)  # noqa: S603 - a folder of ours
    return Version(tree=tree, level=_level(tree), commit=commit, settings=frozenset(asked.stdout.split()))


def _level(tree: Path) -> int:
    return max(int(match[0]) for path in (tree / "migrations").glob("*.sql") if (match := re.match(r"\d{4}", path.name)))


def _git(*arguments: str) -> bytes:
    try:
        return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, timeout=60).stdout  # noqa: S603, S607 - arguments of ours
    except (OSError, subprocess.SubprocessError) as error:
        raise NoVersionBefore(f"git {arguments[0]}: {type(error).__name__}") from None
