"""Keeps trying to open the world until it is open, and closes it in the end."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import structlog

from api.world import World

ATTEMPT_SECONDS = 10.0
FIRST_DELAY = 0.02
LONGEST_DELAY = 1.0


@asynccontextmanager
async def kept_open(open_world: Callable[[], AbstractAsyncContextManager[World]], opened: Callable[[World], None]) -> AsyncGenerator[None]:
    """Open in the background, so that the process can say it is starting while Postgres comes up. Each attempt has a deadline."""
    stop = asyncio.Event()
    keeper = asyncio.create_task(_keep(open_world, opened, stop), name="world")
    try:
        yield
    finally:
        stop.set()
        try:
            await asyncio.wait_for(keeper, ATTEMPT_SECONDS)
        except TimeoutError:
            structlog.get_logger().warning("close_timed_out", part="api")


async def _keep(open_world: Callable[[], AbstractAsyncContextManager[World]], opened: Callable[[World], None], stop: asyncio.Event) -> None:
    delay, attempt = FIRST_DELAY, 0
    while not stop.is_set():
        attempt += 1
        context = open_world()
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                world = await context.__aenter__()
        except Exception as error:  # noqa: BLE001 - whatever kept it from opening may have passed at the next attempt
            level = structlog.get_logger().debug if attempt % 16 != 4 else structlog.get_logger().warning
            level("open_failed", part="api", attempt=attempt, delay_s=delay, exc_info=error)
            await _rest(stop, delay)
            delay = min(delay * 2, LONGEST_DELAY)
            continue
        opened(world)
        await stop.wait()
        await context.__aexit__(None, None, None)


async def _rest(stop: asyncio.Event, delay: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), delay)
    except TimeoutError:
        return
