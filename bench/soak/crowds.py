"""Somebody else takes every connection there is."""

import asyncio
import os
import resource
import signal
import socket
from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager, suppress
from urllib.parse import urlsplit

import asyncpg

from bench.soak.ground import POLL_S, Ground, limit_open_files, open_files

TAKEN_S = 6.0
IDLE = 2_000
_LEFT = 4
"""What NATS may open beyond what it has open."""


async def of_postgres(ground: Ground) -> None:
    """Minos' own connections are ended then, and what they leave is taken too, as far as it is not faster."""
    held: list[asyncpg.Connection[asyncpg.Record]] = []
    try:
        await _take_all(ground, held)
        for pid in await held[0].fetch("SELECT pid FROM pg_stat_activity WHERE usename = 'minos_app'"):
            with suppress(ProcessLookupError):
                os.kill(pid["pid"], signal.SIGTERM)
        for _ in range(int(TAKEN_S * ground.scale / POLL_S)):
            await _take_all(ground, held)
            await asyncio.sleep(POLL_S)
    finally:
        for connection in held:
            connection.terminate()


async def _take_all(ground: Ground, held: "list[asyncpg.Connection[asyncpg.Record]]") -> None:
    with suppress(asyncpg.TooManyConnectionsError):
        while True:
            held.append(await asyncpg.connect(ground.running.owner_url))


async def of_the_api(ground: Ground) -> None:
    """They are opened and nothing is ever said."""
    async with _idle(ground.running.url, IDLE):
        await ground.hold(TAKEN_S)


async def of_nats(ground: Ground) -> None:
    """It may open no more files than a few; those are taken, and workers that were started anew find nobody."""
    pid = ground.running.pid("nats")
    before = limit_open_files(pid, open_files(pid) + _LEFT)
    try:
        async with _idle(ground.running.nats.url, 4 * _LEFT):
            workers = ground.running.kill("workers")
            await ground.hold(TAKEN_S)
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    await ground.running.restarted("workers", workers)


@asynccontextmanager
async def _idle(url: str, number: int) -> AsyncGenerator[None]:
    address = urlsplit(url)
    with ExitStack() as stack:
        for _ in range(number):
            end = stack.enter_context(socket.socket())
            end.setblocking(False)
            with suppress(BlockingIOError):
                end.connect((address.hostname, address.port))
            await asyncio.sleep(0)
        yield
