"""A log with a writer, a sequencer, a projector and readers over one database."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest

from adapters.event_store import PostgresEventStore
from projections.reading import ReadModels
from tests.conftest import Database
from tests.projections.histories import Scribe
from workers.projector import Projector
from workers.sequencer import Sequencer


@dataclass
class World:
    scribe: Scribe
    sequencer: Sequencer
    projector: Projector
    models: ReadModels
    connection: "asyncpg.Connection[asyncpg.Record]"
    app_url: str

    async def project(self) -> None:
        """Give positions to all there is and bring every read model up to it."""
        while (step := await self.sequencer.step()) is not None and step.added:
            pass
        while await self.projector.step():
            pass

    async def dump(self, table: str) -> list[dict[str, object]]:
        rows = await self.connection.fetch(f"SELECT * FROM {table} AS row ORDER BY row::text")
        return [dict(row) for row in rows]


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    store = PostgresEventStore(database.app_url)
    sequencer = Sequencer(database.app_url)
    projector = Projector(database.app_url)
    await projector.begin()
    connection = await asyncpg.connect(database.app_url)
    async with asyncpg.create_pool(database.app_url, min_size=1, max_size=4) as pool:
        try:
            yield World(Scribe(store), sequencer, projector, ReadModels(pool), connection, database.app_url)
        finally:
            await connection.close()
            await projector.close()
            await sequencer.close()
            await store.close()
