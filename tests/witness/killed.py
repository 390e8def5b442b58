"""Adds a checkpoint and is killed after it was remembered, before it is answered: `python -m tests.witness.killed FOLDER < submission`."""

import os
import signal
import sys
from pathlib import Path

from adapters.witness.folder import Home
from adapters.witness.memory import Seen, WitnessMemory
from adapters.witness.witness import Witness


class Killed(WitnessMemory):
    def move(self, origin: str, old: Seen, new: Seen) -> bool:
        super().move(origin, old, new)
        os.kill(os.getpid(), signal.SIGKILL)
        return True


if __name__ == "__main__":
    home = Home(folder=Path(sys.argv[1]))
    key = home.key()
    Witness(key, home.logs(), Killed(home.folder / "memory", key.public.line())).add(sys.stdin.buffer.read())
