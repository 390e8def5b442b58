"""Stores are restarted, or come back with less than they had."""

import os
import shutil
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.soak.ground import Ground, gone

GROWS_S = 5.0
"""How long NATS goes on after it was copied."""


async def nats_emptied(ground: Ground) -> None:
    async with _nats_down(ground) as store:
        shutil.rmtree(store)


async def nats_rolled_back(ground: Ground) -> None:
    copy = ground.running.folder / "nats-copy"
    async with _nats_down(ground) as store:
        shutil.copytree(store, copy)
    await ground.hold(GROWS_S)
    async with _nats_down(ground) as store:
        shutil.rmtree(store)
        copy.rename(store)


async def postgres_fast(ground: Ground) -> None:
    """As `pg_ctl restart`: connections are cut, everything is written first."""
    await _postgres(ground, signal.SIGINT)


async def postgres_immediate(ground: Ground) -> None:
    """As `pg_ctl restart -m immediate`: it recovers from its write-ahead log."""
    await _postgres(ground, signal.SIGQUIT)


async def _postgres(ground: Ground, how: signal.Signals) -> None:
    pid = ground.running.pid("postgres")
    os.kill(pid, how)
    await ground.running.restarted("postgres", pid)


@asynccontextmanager
async def _nats_down(ground: Ground) -> AsyncGenerator[Path]:
    """Its store while nobody has it open. What would start it again is stopped meanwhile; all other parts go on."""
    up = ground.running.pid("up")
    os.kill(up, signal.SIGSTOP)
    try:
        pid = ground.running.kill("nats")
        await gone(pid)
        yield ground.running.data / "nats" / "jetstream"
    finally:
        os.kill(up, signal.SIGCONT)
    await ground.running.restarted("nats", pid)
