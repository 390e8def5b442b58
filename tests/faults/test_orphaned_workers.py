"""Workers go with the `up` that started them, whatever state they are in: nobody is left who would end them later."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from bench.running import Running
from tests.e2e.conftest import CHEAP_HASHES

STATES = {"at work": [], "stopped, so that no SIGTERM reaches them": [signal.SIGSTOP]}


@pytest.mark.parametrize("signals", STATES.values(), ids=STATES.keys())
async def test_workers_do_not_outlive_what_started_them(tmp_path: Path, signals: list[signal.Signals]) -> None:
    """NATS and PostgreSQL die first, so nothing they could wait for comes back."""
    running = Running(tmp_path, **CHEAP_HASHES)
    await running.start()
    workers = os.pidfd_open(running.pid("workers"))
    try:
        for each in signals:
            signal.pidfd_send_signal(workers, each)
        os.kill(running.pid("up"), signal.SIGSTOP)  # it would start them again
        for part in ("nats", "postgres"):
            running.kill(part)
        await running.crash()
        await gone(workers)
    finally:
        signal.pidfd_send_signal(workers, signal.SIGKILL)
        os.close(workers)


async def gone(pidfd: int) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(pidfd, ended.set)
    try:
        async with asyncio.timeout(10):
            await ended.wait()
    finally:
        loop.remove_reader(pidfd)
