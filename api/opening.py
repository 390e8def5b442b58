"""Keeps trying to open the world until it is open, and closes it in the end."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias

import structlog

from api.world import World

ATTEMPT_SECONDS = 10.0
FIRST_DELAY = 0.02
LONGEST_DELAY = 1.0
FIRST_TOLD, TOLD_EVERY = 4, 16
"""The first attempts fail at every start beside a database that is starting too: not worth a warning."""
CLOSE_SECONDS = 10.0


Opener: TypeAlias = Callable[[], AbstractAsyncContextManager[World]]


@asynccontextmanager
async def kept_open(open_world: Opener, opened: Callable[[World], None]) -> AsyncGenerator[None]:
    """Open in the background, so that the process can say it is starting while Postgres comes up. Each attempt has a deadline."""
    stop, is_open = asyncio.Event(), asyncio.Event()

    def now_open(world: World) -> None:
        is_open.set()
        opened(world)

    keeper = asyncio.create_task(_keep(open_world, now_open, stop), name="world")
    try:
        yield
    finally:
        stop.set()
        if not is_open.is_set():
            keeper.cancel()
        done, _ = await asyncio.wait({keeper}, timeout=CLOSE_SECONDS)
        if not done:
            structlog.get_logger().warning("close_timed_out", part="api")


async def _keep(open_world: Opener, opened: Callable[[World], None], stop: asyncio.Event) -> None:
    delay, attempt = FIRST_DELAY, 0
    while not stop.is_set():
        attempt += 1
        context = open_world()
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                world = await context.__aenter__()
        except Exception as error:  # noqa: BLE001 - whatever kept it from opening may have passed at the next attempt
            log = structlog.get_logger()
            tell = log.warning if attempt % TOLD_EVERY == FIRST_TOLD else log.debug
            tell("open_failed", part="api", attempt=attempt, delay_s=delay, exc_info=error)
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_DELAY)
            continue
        opened(world)
        await stop.wait()
        await context.__aexit__(None, None, None)
