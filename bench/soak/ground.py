"""What a soak happens on: a whole authority, the file system below its database, and where clients find its API at the moment."""

import asyncio
import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from bench.processes import children, lives
from bench.running import Running
from bench.soak.small_disk import SmallDisk

Tell: TypeAlias = Callable[[str], None]
POLL_S = 0.05
BACK_S = 60.0


class Ground:
    def __init__(self, running: Running, disk: SmallDisk | None, scale: float = 1.0) -> None:
        self.running, self.disk = running, disk
        self.url = running.url
        self.scale = scale
        """What holds a fault for so long is multiplied by this."""

    async def hold(self, seconds: float) -> None:
        """Leave things as bad as they are."""
        await asyncio.sleep(seconds * self.scale)

    def answering(self) -> list[int]:
        """Give the processes that answer requests, below the one that starts them."""
        return children(self.running.pid("api"))

    def hashing(self) -> list[int]:
        return [child for pid in self.answering() for child in children(pid)]

    async def revive(self) -> None:
        """Start it again where a fault left it down. Raises NotReady."""
        try:
            self.running.pid("up")
        except LookupError:
            await self.running.start()


async def until(holds: Callable[[], bool], within: float = BACK_S) -> None:
    """Raises TimeoutError."""
    async with asyncio.timeout(within):
        while not holds():
            await asyncio.sleep(POLL_S)


async def gone(pid: int) -> None:
    await until(lambda: not lives(pid))


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def limit_open_files(pid: int, most: int) -> tuple[int, int]:
    """Lower what a process may have open; gives what it was, for the same call again."""
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (min(most, before[1]), before[1]))
    return before


def allow_ourselves_files() -> None:
    """As many as the machine lets us: for connections by the thousand."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def is_root() -> bool:
    return os.geteuid() == 0
