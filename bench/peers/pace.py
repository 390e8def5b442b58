"""How fast a core is while something else has it: a virtual one may lose half of its speed to other machines, and no counter says so.

Run as `python -m bench.peers.pace`: it prints, ten times a second, the time and how many turns of a loop fit into a microsecond of its
own processor time, so that waiting for the core does not count.
"""

import os
import sys
import time
from pathlib import Path
from statistics import fmean
from subprocess import Popen

from adapters.children import spawn, stop
from bench.peers.cores import on

TURNS = 10_000
APART_S = 0.1


class Pace:
    """A sampler of one core, from `begin` to `end`."""

    def __init__(self, core: int, folder: Path) -> None:
        self._core = core
        self._kept = folder / "pace"
        self._child: Popen[bytes] | None = None

    def begin(self) -> None:
        with self._kept.open("wb") as output, on(self._core):
            argv = [sys.executable, "-m", "bench.peers.pace"]
            self._child = spawn(argv, cwd=Path.cwd(), output=output, env=os.environ)

    async def end(self) -> None:
        if self._child is not None:
            await stop(self._child)

    def between(self, began: float, ended: float) -> float:
        """Give the mean pace in turns per microsecond, of times as time.monotonic() gives them; 0.0 when no sample was taken then."""
        samples = [line.split() for line in self._kept.read_text().splitlines(keepends=True) if line.endswith("\n")]
        seen = [float(turns) for at, turns in samples if began <= float(at) <= ended]
        return fmean(seen) if seen else 0.0


def _sample() -> None:
    while True:
        began = time.process_time_ns()
        for _ in range(TURNS):
            pass
        took = max(1, time.process_time_ns() - began)
        print(f"{time.monotonic():.3f} {1000 * TURNS / took:.3f}", flush=True)
        time.sleep(APART_S)


if __name__ == "__main__":
    _sample()
