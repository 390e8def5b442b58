"""Folders among the system's temporary files that go with the program that made them. What a kill left behind is removed by the next
program that makes one of the same name, as soon as no kernel lock says that it is in use."""

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from adapters.children import AlreadyRunning, hold_folder

YOUNG_SECONDS = 60.0
"""Whoever has just made one may not hold it yet."""


@contextmanager
def scratch(prefix: str) -> Generator[Path]:
    """Make one for as long as the block runs."""
    sweep(prefix)
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as folder:
        held = hold_folder(Path(folder))
        try:
            yield Path(folder)
        finally:
            os.close(held)


def sweep(prefix: str) -> None:
    """Remove those of this name that nobody holds any more."""
    for folder in _left(Path(tempfile.gettempdir()), prefix):
        with suppress(AlreadyRunning, OSError):
            held = hold_folder(folder)
            shutil.rmtree(folder, ignore_errors=True)
            os.close(held)


def _left(among: Path, prefix: str) -> Generator[Path]:
    """Give old ones of ours: in a folder that is everybody's, what others put there is let alone, links among it."""
    for folder in among.glob(f"{prefix}*"):
        with suppress(OSError):
            found = folder.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and time.time() - found.st_mtime > YOUNG_SECONDS:
                yield folder
