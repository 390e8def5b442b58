"""What the serving role, and even the owner, cannot do."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from adapters.event_store import PostgresEventStore
from tests.conftest import Database
from tests.store.commits import commit, stream, write

STATEMENTS = ["DELETE FROM {}", "TRUNCATE {}", "INSERT INTO {} DEFAULT VALUES", "DROP TABLE {}", "BEGIN; LOCK TABLE {}"]
LOG_TABLES = ["events", "events_p000000", "heads", "claim_index", "log_head", "log_runs", "migrations"]


@pytest.fixture
async def written(database: Database, postgres_store: PostgresEventStore) -> Database:
    await postgres_store.append(commit(write(stream(), 0)))
    return database


@pytest.fixture
async def app(written: Database) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(written.app_url)
    yield connection
    await connection.close()


@pytest.mark.parametrize("table", LOG_TABLES)
@pytest.mark.parametrize(
    "statement", ["DELETE FROM {}", "TRUNCATE {}", "INSERT INTO {} DEFAULT VALUES", "DROP TABLE {}", "BEGIN; LOCK TABLE {}"]
)
async def test_the_serving_role_writes_no_table_of_the_log(app: "asyncpg.Connection[asyncpg.Record]", table: str, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute(statement.format(table))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET payload = ''",
        "UPDATE heads SET version = 7",
        "UPDATE log_head SET epoch = 7",
        "UPDATE command_results SET outcome = ''",
        "INSERT INTO command_results (key, digest, outcome, actor) VALUES (sha256(''), '', '', '')",
        "ALTER TABLE events DISABLE TRIGGER ALL",
        "CREATE TABLE public.mine (n integer)",
        "CREATE OR REPLACE FUNCTION public.sequence_step() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "SELECT store_runs(0, ARRAY[1::bigint])",
        "SELECT make_partition(9)",
        "SELECT setval('events_append_id_seq', 1)",
        "SELECT nextval('events_append_id_seq')",
        "SELECT append_heads('{0}', false, '{1}', '{test-1}', '{0}', '{1}', '{\"\"}', '{1}')",
        "SELECT resequence()",
        "DELETE FROM vault.secrets",
        "UPDATE vault.secrets SET wrapped = ''",
        "DELETE FROM vault.signing_secrets",
        "DELETE FROM vault.subject_keys",
        "UPDATE vault.subject_keys SET wrapped = ''",
        "UPDATE vault.swept_keys SET created_at = '-infinity'",
        "DELETE FROM vault.swept_keys",
        "SET ROLE minos_owner",
        "COPY events TO PROGRAM 'true'",
    ],
)
async def test_the_serving_role_has_no_way_around_the_append(app: "asyncpg.Connection[asyncpg.Record]", statement: str) -> None:
    with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.InvalidFunctionDefinitionError)):
        await app.execute(statement)


async def test_the_serving_role_may_make_and_drop_read_models(app: "asyncpg.Connection[asyncpg.Record]") -> None:
    await app.execute("CREATE TABLE read.sessions_v1 (n integer); INSERT INTO read.sessions_v1 VALUES (1); DROP TABLE read.sessions_v1")


async def test_the_serving_role_keeps_keys_and_counters(app: "asyncpg.Connection[asyncpg.Record]") -> None:
    await app.execute("INSERT INTO vault.secrets (purpose, version, wrapped, kek_id) VALUES ('refresh', 1, '', 'k1')")
    await app.execute("DELETE FROM sign_in_guard; DELETE FROM command_results WHERE created_at < now()")


@pytest.mark.parametrize("table", ["events", "events_p000000"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET payload = ''", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("role", ["owner", "superuser"])
async def test_events_stay_as_they_are_for_everybody(written: Database, table: str, statement: str, role: str) -> None:
    connection = await asyncpg.connect(written.owner_url if role == "owner" else written.superuser_url)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await connection.execute(statement.format(table))
        assert await connection.fetchval("SELECT count(*) FROM events") == 1
    finally:
        await connection.close()


async def test_an_id_cannot_be_chosen_even_by_the_owner(written: Database) -> None:
    connection = await asyncpg.connect(written.owner_url)
    try:
        with pytest.raises(asyncpg.GeneratedAlwaysError):
            await connection.execute("INSERT INTO events (append_id) VALUES (1)")
    finally:
        await connection.close()
