"""The stores under test."""

from collections.abc import AsyncIterator

import pytest

from adapters.event_store import PostgresEventStore
from adapters.memory_store import MemoryEventStore
from commands.ports import EventStore
from tests.conftest import Database


@pytest.fixture
def memory_store() -> MemoryEventStore:
    return MemoryEventStore()


@pytest.fixture
async def postgres_store(database: Database) -> AsyncIterator[PostgresEventStore]:
    store = PostgresEventStore(database.app_url)
    yield store
    await store.close()


@pytest.fixture
async def pooled_store(database: Database) -> AsyncIterator[PostgresEventStore]:
    """Over the unnamed statement and short transactions only, as behind a transaction pooler."""
    store = PostgresEventStore(database.app_url, prepared=False)
    yield store
    await store.close()


@pytest.fixture(params=["memory_store", "postgres_store", "pooled_store"])
def store(request: pytest.FixtureRequest) -> EventStore:
    """Every implementation of the port, one after the other."""
    chosen: EventStore = request.getfixturevalue(request.param)
    return chosen
