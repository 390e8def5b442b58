"""A folder for the metrics of one tree of processes, where nobody gave one: made in the system's, and removed when it ends."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from adapters.children import hold_folder
from adapters.metrics_server import FOLDER_VARIABLE, prepare_folder
from adapters.scratch import sweep

PREFIX = "minos-metrics-"


def own_metrics_folder() -> Path:
    """Give the folder this tree of processes writes its metrics to, making one unless a parent chose it."""
    given = os.environ.get(FOLDER_VARIABLE)
    if given:
        return Path(given)
    sweep(PREFIX)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    prepare_folder(folder)
    hold_folder(folder)
    atexit.register(_remove, folder, os.getpid())
    return folder


def _remove(folder: Path, maker: int) -> None:
    if os.getpid() == maker:  # not a forked worker
        shutil.rmtree(folder, ignore_errors=True)
