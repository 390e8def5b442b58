"""How long `minos up` takes until everything answers, first and later."""

import tempfile
from pathlib import Path

from bench.running import Running
from bench.scale import Measuring


async def measure(folder: Path, measuring: Measuring) -> None:
    """From calling the command to its saying that it is ready, the interpreter's own start included."""
    for _ in range(measuring.scale.starts):
        measuring.told("start-up")
        with tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as empty:
            running = Running(Path(empty))
            for key in ("start_empty", "start_again"):
                await running.start()
                measuring.rounds.add(**{key: running.start_s})
                await running.stop()
