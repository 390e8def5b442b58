"""Replays of the log that are open: connections of their own, so that whoever reads all of it keeps nobody else waiting."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from adapters.postgres_links import Links
from api.metrics import AUDIT_REPLAYS
from api.open_streams import OpenStreams

CONNECTIONS = 2
MOST, MOST_OF_ONE = 8, 2
"""In one process."""


@dataclass(frozen=True, slots=True)
class Replays:
    links: Links
    streams: OpenStreams
    turn: asyncio.Lock
    """Of them all, one makes lines at a time: together they take no more of the process than one does."""


@asynccontextmanager
async def open_replays(url: str) -> AsyncGenerator[Replays]:
    """Connections are made when somebody first asks."""
    links = Links(url, size=CONNECTIONS)
    try:
        yield Replays(links=links, streams=OpenStreams(most=MOST, most_of_one=MOST_OF_ONE, gauge=AUDIT_REPLAYS), turn=asyncio.Lock())
    finally:
        await links.close()
