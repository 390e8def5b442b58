"""What the serving role, and even the owner, cannot do."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from adapters.event_store import SQL, PostgresEventStore
from adapters.event_store_columns import columns
from commands.ports import ClaimChange, StreamWrite
from tests.conftest import Database
from tests.store.commits import commit, mac, stream, take, write

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
        "SELECT resequence(2)",
        "SELECT hold_log()",
        "DELETE FROM vault.secrets",
        "UPDATE vault.secrets SET wrapped = ''",
        "DELETE FROM vault.signing_secrets",
        "DELETE FROM vault.subject_keys",
        "UPDATE vault.subject_keys SET wrapped = ''",
        "UPDATE vault.secrets SET kek_id = ''",
        "UPDATE vault.subject_keys SET kek_id = ''",
        "UPDATE vault.root_keys SET wrapped = ''",
        "DELETE FROM vault.root_keys",
        "INSERT INTO vault.root_keys (generation, kek_id, wrapped, kms) VALUES (2, 'rk-2', 'vault:v1:x', 'x')",
        "INSERT INTO vault.root_keys VALUES (1, 'rk-1', 'vault:v1:x', 'x', now())",
        "UPDATE vault.subject_keks SET destroyed_at = now()",
        "DELETE FROM vault.subject_keks",
        "INSERT INTO vault.subject_keks (kek_id, emptied_at) VALUES ('mo-1', '-infinity')",
        "UPDATE vault.earlier_wrappings SET wrapped = ''",
        "DELETE FROM vault.earlier_wrappings",
        "UPDATE vault.swept_keys SET created_at = '-infinity'",
        "DELETE FROM vault.swept_keys",
        "UPDATE vault.swept_passwords SET append_id = 0",
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


def arguments(*writes: StreamWrite, claims: tuple[ClaimChange, ...] = ()) -> list[Any]:
    """What `append_commits` takes for one command."""
    return list(columns([commit(*writes, claims=claims)], wait=False))


W_COUNT, E_STREAM, E_VERSION, K_STREAM = 5, 9, 10, 23


def without_its_event(of: list[Any]) -> None:
    for column in range(8, 20):
        of[column] = []


def with_the_event_elsewhere(of: list[Any]) -> None:
    of[E_STREAM] = [stream()]


def with_the_event_much_later(of: list[Any]) -> None:
    of[E_VERSION] = [7]


def with_one_event_for_two_heads(of: list[Any]) -> None:
    of[2], of[3], of[4], of[W_COUNT] = [1, 1], [of[3][0], stream()], [0, 0], [1, 1]
    of[6], of[7] = of[6] * 2, of[7] * 2


def with_a_count_that_is_taken_off_again(of: list[Any]) -> None:
    with_one_event_for_two_heads(of)
    of[2], of[3], of[4], of[W_COUNT] = [1, 1, 1], [*of[3], stream()], [0, 0, 0], [1, 1, -1]
    of[6], of[7] = of[6] + of[6][:1], of[7] + of[7][:1]


def with_a_gap(of: list[Any]) -> None:
    """The same new stream twice, the second time far on: each with its event."""
    of[0], name = 2, of[3][0]
    of[2], of[3], of[4], of[W_COUNT] = [1, 2], [name, name], [0, 7], [1, 1]
    of[6], of[7] = of[6] * 2, of[7] * 2
    for column in range(8, 20):
        of[column] = of[column] * 2
    of[8], of[E_VERSION], of[12] = [1, 2], [1, 8], [uuid4(), uuid4()]


@pytest.mark.parametrize(
    "forge",
    [
        without_its_event,
        with_the_event_elsewhere,
        with_the_event_much_later,
        with_one_event_for_two_heads,
        with_a_count_that_is_taken_off_again,
        with_a_gap,
    ],
)
async def test_no_head_moves_without_its_events(app: "asyncpg.Connection[asyncpg.Record]", forge: Callable[[list[Any]], None]) -> None:
    """Else the serving role could make somebody an administrator, and the log would never hear of it."""
    target = stream()
    of = arguments(write(target, 0))
    forge(of)
    with pytest.raises(asyncpg.CheckViolationError):
        await app.fetch(SQL["append"], *of)
    assert not await app.fetchval("SELECT count(*) FROM heads WHERE stream = $1", target)


async def test_no_name_moves_without_an_event_of_its_claim(app: "asyncpg.Connection[asyncpg.Record]") -> None:
    owner = stream("claim")
    of = arguments(write(owner, 0), claims=(take(mac(), owner),))
    of[K_STREAM] = [stream("claim")]
    with pytest.raises(asyncpg.CheckViolationError):
        await app.fetch(SQL["append"], *of)
