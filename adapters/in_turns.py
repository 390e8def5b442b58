"""Working on a page of rows while the next one comes."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import TypeVar

T = TypeVar("T")

IN_ONE_GO = 200
"""The database waits once some hundred rows are on their way to somebody who does not take them in."""


async def in_turns(page: Sequence[T]) -> AsyncGenerator[Sequence[T]]:
    """Give a page some rows at a time; what has come of the next one, if it was asked for, is taken in between."""
    for start in range(0, len(page), IN_ONE_GO):
        yield page[start : start + IN_ONE_GO]
        await asyncio.sleep(0)
