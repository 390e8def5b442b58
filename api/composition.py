"""Opens the world from the settings and closes it in the end."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import asyncpg

from adapters.ports import NoDatabase, open_ports
from adapters.settings import Settings
from api.metrics import HashFigures, StoreFigures
from api.waiting import Waiting
from api.world import World
from domain.session import MINOS
from projections.reading import ReadModels

READERS = 8
"""Connections for lists; what they ask is answered in milliseconds, and a process has one event loop."""
READ_SECONDS = 5.0


@asynccontextmanager
async def open_world(settings: Settings) -> AsyncGenerator[World]:
    """Raises what kept it from opening; try again later."""
    if settings.database_url is None:
        raise NoDatabase("set MINOS_DATABASE_URL")
    async with (
        open_ports(settings, store_metrics=StoreFigures(), hash_metrics=HashFigures()) as opened,
        asyncpg.create_pool(
            settings.database_url.reveal(), min_size=0, max_size=READERS, command_timeout=READ_SECONDS, timeout=READ_SECONDS
        ) as pool,
    ):
        await opened.keyring.refresh()
        yield World(
            settings=settings,
            ports=opened.ports,
            tokens=opened.tokens,
            keyring=opened.keyring,
            versions=opened.versions,
            cursors=opened.cursors,
            models=ReadModels(pool),
            pool=pool,
            waiting=Waiting(),
            own_audience=frozenset({MINOS}),
            every_audience=frozenset({MINOS, *settings.audiences}),
        )
