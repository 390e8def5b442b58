"""Parts end by SIGKILL, and come back."""

import os
import signal
from collections.abc import Callable

import asyncpg

from bench.processes import tree
from bench.soak.ground import Ground, gone, until


async def api(ground: Ground) -> None:
    """What starts the processes that answer; they go with it."""
    await _part(ground, "api")


async def answering(ground: Ground) -> None:
    await _one_of(ground.answering)


async def hashing(ground: Ground) -> None:
    await _one_of(ground.hashing)


async def workers(ground: Ground) -> None:
    await _part(ground, "workers")


async def nats(ground: Ground) -> None:
    await _part(ground, "nats")


async def postmaster(ground: Ground) -> None:
    await _part(ground, "postgres")


async def backend(ground: Ground) -> None:
    """PostgreSQL ends all others with it, and recovers."""
    connection = await asyncpg.connect(ground.running.owner_url)
    try:
        victim: int = await connection.fetchval(
            "SELECT pid FROM pg_stat_activity WHERE usename = 'minos_app' ORDER BY query_start DESC NULLS LAST LIMIT 1"
        )
        os.kill(victim, signal.SIGKILL)
    finally:
        connection.terminate()
    await gone(victim)


async def supervisor(ground: Ground) -> None:
    """`minos up` alone; the kernel tells its parts, and it is started again."""
    await ground.running.crash()
    await ground.running.start()


async def whole(ground: Ground) -> None:
    """Everything at once: as when the machine loses its power, but for what the kernel has not written yet."""
    everything = tree(ground.running.pid("up"))
    for pid in everything:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    await ground.running.crash()
    for pid in everything:
        await gone(pid)
    await ground.running.start()


async def _part(ground: Ground, part: str) -> None:
    pid = ground.running.kill(part)
    await ground.running.restarted(part, pid)


async def _one_of(found: Callable[[], list[int]]) -> None:
    before = found()
    os.kill(before[0], signal.SIGKILL)
    await gone(before[0])
    await until(lambda: len(set(found()) - {before[0]}) >= len(before))
