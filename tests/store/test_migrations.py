"""Bringing a database up to date."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from adapters.embedded_postgres import PostgresServer
from adapters.event_store import PostgresEventStore
from commands.ports import ClaimMac
from migrations import runner
from migrations.runner import Migration, MigrationRefused
from tests.conftest import Database, database_of


def migration(version: int, sql: str) -> Migration:
    return Migration(version=version, name="test", sql=sql)


@pytest.fixture
async def empty(postgres_server: PostgresServer) -> AsyncIterator[Database]:
    name = "test_empty"
    superuser = await asyncpg.connect(postgres_server.superuser_url)
    await superuser.execute(f"CREATE DATABASE {name} OWNER minos_owner")
    yield database_of(postgres_server, name)
    await superuser.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await superuser.close()


async def test_two_at_once_apply_each_file_once(empty: Database) -> None:
    connections = [await asyncpg.connect(empty.owner_url) for _ in range(2)]
    applied = await asyncio.gather(*(runner.migrate(c) for c in connections))
    assert sorted([*applied[0], *applied[1]]) == list(range(1, runner.TARGET + 1))
    for connection in connections:
        await connection.close()


async def test_migrating_twice_changes_nothing_and_the_serving_role_sees_it(database: Database) -> None:
    owner = await asyncpg.connect(database.owner_url)
    assert await runner.migrate(owner) == ()
    await owner.close()
    app = await asyncpg.connect(database.app_url)
    status = await runner.status(app)
    await app.close()
    assert (status.applied[-1], status.pending, status.ready) == (runner.TARGET, (), True)


async def test_before_the_first_run_everything_is_pending(empty: Database) -> None:
    owner = await asyncpg.connect(empty.owner_url)
    status = await runner.status(owner)
    await owner.close()
    assert (status.applied, len(status.pending), status.ready) == ((), runner.TARGET, False)


async def test_an_edited_file_stops_the_run(empty: Database) -> None:
    owner = await asyncpg.connect(empty.owner_url)
    await runner.migrate(owner, [migration(1, "CREATE TABLE one ()")])
    edited = [migration(1, "CREATE TABLE one (n integer)"), migration(2, "CREATE TABLE two ()")]
    assert (await runner.status(owner, edited)).edited == (1,)
    with pytest.raises(MigrationRefused, match="0001"):
        await runner.migrate(owner, edited)
    assert await owner.fetchval("SELECT to_regclass('two')") is None
    await owner.close()


async def test_a_file_that_fails_leaves_nothing_and_those_before_it_stay(empty: Database) -> None:
    owner = await asyncpg.connect(empty.owner_url)
    files = [migration(1, "CREATE TABLE one ()"), migration(2, "CREATE TABLE two (); SELECT 1 / 0")]
    with pytest.raises(asyncpg.DivisionByZeroError):
        await runner.migrate(owner, files)
    assert (await runner.status(owner, files)).applied == (1,)
    assert await owner.fetchval("SELECT to_regclass('two')") is None
    await owner.close()


async def test_a_newer_database_is_ready_for_older_code(empty: Database) -> None:
    owner = await asyncpg.connect(empty.owner_url)
    await runner.migrate(owner, [migration(1, "SELECT 1"), migration(2, "SELECT 2")])
    status = await runner.status(owner, [migration(1, "SELECT 1")])
    await owner.close()
    assert (status.unknown, status.ready) == ((2,), True)


async def test_a_role_that_may_not_do_it_is_told_so(empty: Database) -> None:
    owner = await asyncpg.connect(empty.owner_url)
    with pytest.raises(MigrationRefused, match="0001_test"):
        await runner.migrate(owner, [migration(1, "CREATE ROLE another LOGIN")])
    await owner.close()


def test_files_are_numbered_without_a_gap(tmp_path: Path) -> None:
    (tmp_path / "0001_a.sql").touch()
    (tmp_path / "0003_c.sql").touch()
    with pytest.raises(MigrationRefused, match="0002"):
        runner.load(tmp_path)


async def test_names_taken_before_holders_were_kept_get_theirs(empty: Database) -> None:
    owner = await asyncpg.connect(empty.owner_url)
    files = runner.load()
    await runner.migrate(owner, files[:16])
    user_id, claim_id = uuid4(), uuid4()
    payload = f'{{"at":"2026-11-01T00:00:00Z","claim_id":"{claim_id}","kind":"email","type":"claim.taken.v1","user_id":"{user_id}"}}'
    await owner.execute(
        """INSERT INTO events (stream, version, type, slot, event_id, actor, command_id, correlation_id, payload)
           VALUES ($1, 1, 'claim.taken.v1', 0, $2, 'system', $2, $2, $3)""",
        f"claim-{claim_id}",
        uuid4(),
        payload.encode(),
    )
    await owner.execute("INSERT INTO claim_index VALUES (1, $1, $2)", b"a name under its key", f"claim-{claim_id}")
    await runner.migrate(owner, files)
    await owner.close()
    store = PostgresEventStore(empty.app_url)
    assert (await store.find_holder([ClaimMac(1, b"a name under its key")])).holder == user_id
    await store.close()
