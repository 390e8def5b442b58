"""What `minos doctor` looks at of this machine: room for files, and how many may be open."""

import os
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path

from adapters.settings import Settings
from cli.finding import Finding, found, warned

LOWEST_DISK_BYTES = 1 << 30
LOWEST_INODES = 10_000
LOWEST_INODES_SHARE = 0.05
FEWEST_FILES = 4_096
"""An API process keeps half of them for connections: idle ones must be many before they are all there are."""


def machine(settings: Settings) -> Iterator[Finding]:
    folder = next(each for each in (settings.data_dir, *settings.data_dir.parents) if each.exists())
    for each in (folder, *_mounted_in(folder)):
        yield disk(each, shutil.disk_usage(each).free)
    system = os.statvfs(folder)
    if system.f_files:  # some file systems have no such number
        yield inodes(folder, system.f_favail, system.f_files)
    yield open_files(resource.getrlimit(resource.RLIMIT_NOFILE)[1])


def _mounted_in(folder: Path) -> Iterator[Path]:
    """Servers of `minos up` may have disks of their own."""
    return (each for each in (folder / "postgres", folder / "nats") if each.is_mount())


def disk(folder: Path, free: int) -> Finding:
    advice = "at least 1 is advised: make room, docs/explanation/failures.md#a-full-disk"
    return found("disk", f"{free / (1 << 30):.1f} GiB free at {folder}", advice, ok=free >= LOWEST_DISK_BYTES)


def inodes(folder: Path, free: int, of: int) -> Finding:
    advice = f"few files more can be made: remove what has many, `du --inodes -d 2 {folder}` finds it"
    ok = free >= LOWEST_INODES and free / of >= LOWEST_INODES_SHARE
    return found("inodes", f"{free:,} of {of:,} free", advice, ok=ok)


def open_files(most: int) -> Finding:
    unbounded = most == resource.RLIM_INFINITY
    said = "as many files may be open as there are" if unbounded else f"a process may have {most:,} files open"
    return warned("open files", said, f"at least {FEWEST_FILES:,} (LimitNOFILE=, ulimit -n)", ok=unbounded or most >= FEWEST_FILES)
