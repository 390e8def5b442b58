"""Whoever has the serving role's password chooses the settings of their connection: functions of the owner must not believe them."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from adapters.event_store import PostgresEventStore
from tests.conftest import Database
from tests.store.commits import commit, stream, write


@pytest.fixture
async def app(database: Database) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(database.app_url)
    yield connection
    await connection.close()


async def test_naming_the_cluster_does_not_sequence_a_foreign_log(app: "asyncpg.Connection[asyncpg.Record]", database: Database) -> None:
    store = PostgresEventStore(database.app_url)
    await store.append(commit(write(stream(), 0)))
    await store.close()
    owner = await asyncpg.connect(database.owner_url)
    foreign = await owner.fetchval("UPDATE log_head SET cluster = cluster + 1 RETURNING cluster")
    await owner.close()
    await app.execute(f"SET minos.cluster = '{foreign}'")
    assert await app.fetchval("SELECT added FROM sequence_step()") == -1
    assert await app.fetchval("SELECT size FROM log_head") == 0


async def test_an_old_snapshot_sweeps_no_key_of_who_came_to_be_since(app: "asyncpg.Connection[asyncpg.Record]") -> None:
    async with app.transaction(isolation="repeatable_read"):
        with pytest.raises(asyncpg.RaiseError, match="READ COMMITTED"):
            await app.fetch("SELECT deleted FROM vault.sweep_orphaned_keys('1 hour', 100)")


async def test_no_number_of_keys_is_not_all_of_them(app: "asyncpg.Connection[asyncpg.Record]") -> None:
    assert await app.fetchrow("SELECT deleted, more FROM vault.sweep_orphaned_keys('1 hour', NULL)") == (0, False)


async def test_an_old_snapshot_takes_no_feed(app: "asyncpg.Connection[asyncpg.Record]") -> None:
    async with app.transaction(isolation="repeatable_read"):
        with pytest.raises(asyncpg.RaiseError, match="READ COMMITTED"):
            await app.fetch("SELECT name FROM take_feeds('{}', '{}', '{}', '{}')")
