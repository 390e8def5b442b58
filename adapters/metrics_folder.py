"""A folder for the metrics of one tree of processes, where nobody gave one: made in the system's, and removed when it ends.

What a kill left behind is removed by the next start, as soon as no kernel lock says that it is in use.
"""

import atexit
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from adapters.children import AlreadyRunning, hold_folder
from adapters.metrics_server import FOLDER_VARIABLE, prepare_folder

PREFIX = "minos-metrics-"
YOUNG_SECONDS = 60.0
"""Whoever has just made one may not hold it yet."""


def own_metrics_folder() -> Path:
    """Give the folder this tree of processes writes its metrics to, making one unless a parent chose it."""
    given = os.environ.get(FOLDER_VARIABLE)
    if given:
        return Path(given)
    _sweep(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    prepare_folder(folder)
    hold_folder(folder)
    atexit.register(_remove, folder, os.getpid())
    return folder


def _remove(folder: Path, maker: int) -> None:
    if os.getpid() == maker:  # not a forked worker
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(among: Path) -> None:
    for folder in _left(among):
        with suppress(AlreadyRunning, OSError):
            held = hold_folder(folder)
            shutil.rmtree(folder, ignore_errors=True)
            os.close(held)


def _left(among: Path) -> Iterator[Path]:
    """Give old ones of ours: in a folder that is everybody's, what others put there is let alone, links among it."""
    for folder in among.glob(f"{PREFIX}*"):
        with suppress(OSError):
            found = folder.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and time.time() - found.st_mtime > YOUNG_SECONDS:
                yield folder
