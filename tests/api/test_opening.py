import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from api.opening import CLOSE_SECONDS, kept_open


async def test_what_cannot_be_opened_yet_is_tried_again() -> None:
    tries: list[str] = []
    opened: list[Any] = []

    @asynccontextmanager
    async def world() -> AsyncGenerator[Any]:
        tries.append("open")
        if len(tries) < 4:
            raise ConnectionRefusedError
        yield "the world"
        tries.append("closed")

    async with kept_open(world, opened.append):
        async with asyncio.timeout(5):
            while not opened:
                await asyncio.sleep(0.01)
    assert (opened, tries[-1]) == (["the world"], "closed")


async def test_stopping_while_it_opens_does_not_wait_for_it() -> None:
    @asynccontextmanager
    async def world() -> AsyncGenerator[Any]:
        await asyncio.sleep(60)
        yield None

    async with asyncio.timeout(CLOSE_SECONDS / 2), kept_open(world, lambda _: None):
        await asyncio.sleep(0.01)
