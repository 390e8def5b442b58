"""Each column of every read model and of the heads, changed in one row: `minos audit verify` names the table it is of."""

from collections.abc import Mapping, Sequence

import asyncpg
import pytest
from msgspec.structs import replace

from adapters.embedded_postgres import PostgresServer
from domain import codec
from domain.deciders import decider_of
from tests.audit.conftest import copied
from tests.conftest import Database
from tests.golden.log.stored import StoredRow, load, stored_logs
from workers.audit.findings import Kind
from workers.audit.verify import Asked, Report, verify
from workers.projector import Projector
from workers.sequencer import Sequencer

CHANGED: Mapping[str, tuple[str, str]] = {
    "text": ("{} || ' '", "'x'"),
    "bytea": ("set_byte({0}, octet_length({0}) - 1, get_byte({0}, octet_length({0}) - 1) # 1)", "'x'"),
    "bigint": ("{} + 1000", "7"),
    "integer": ("{} + 1000", "7"),
    "timestamp with time zone": ("{} + interval '1 us'", "now()"),
    "boolean": ("NOT {}", "true"),
    "uuid": ("gen_random_uuid()", "gen_random_uuid()"),
    "text[]": ("array_append({}, 'x')", "'{x}'"),
}
"""By type how a value is changed by a little, and what takes the place of none."""
EMPTIED: Mapping[str, str] = {"text": "''", "bytea": "''", "text[]": "'{}'", "timestamp with time zone": "'infinity'"}
"""What takes the place of a value; none at all in those of other types."""
COLUMNS = """
SELECT format('%I.%I', n.nspname, c.relname) AS of, a.attname AS name, format_type(a.atttypid, NULL) AS type,
       a.attgenerated = 's' AS is_made
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relkind = 'r' AND (n.nspname = 'read' OR c.relname = 'heads') AND a.attname <> 'state_version' ORDER BY 1, a.attnum
"""
LOOSENED = """
SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) FROM pg_constraint
JOIN pg_class c ON c.oid = conrelid WHERE contype = 'c' AND (connamespace = 'read'::regnamespace OR c.relname = 'heads')
"""


@pytest.fixture(scope="module")
async def database(postgres_server: PostgresServer) -> Database:
    """A log with histories of every kind, and with all that is made of it."""
    database = await copied(postgres_server, "columns", "minos")
    rows = [row for rows in stored_logs().values() for row in rows if row.stream != "log"]
    owner = await asyncpg.connect(database.owner_url)
    await load(owner, [replace(row, append_id=at) for at, row in enumerate(rows, 1)])
    await owner.executemany("UPDATE heads SET state = $2, state_version = $3 WHERE stream = $1", _heads(rows))
    await owner.close()
    sequencer, projector = Sequencer(database.app_url), Projector(database.app_url)
    await sequencer.step()
    await projector.begin()
    while await projector.step():
        pass
    await projector.close()
    await sequencer.close()
    return database


def _heads(rows: Sequence[StoredRow]) -> list[tuple[str, bytes, int]]:
    found: list[tuple[str, bytes, int]] = []
    for stream in {row.stream for row in rows}:
        of = decider_of(stream)
        assert of is not None
        state = of.fold([codec.decode_event(row.type, row.payload) for row in rows if row.stream == stream])
        found.append((stream, codec.encode_state(state), of.state_version))
    return found


async def _verified(database: Database) -> Report:
    return await verify(Asked(url=database.app_url))


def _models(report: Report) -> set[str | None]:
    return {each.model for each in report.findings if each.kind in {Kind.HEAD_DIFFERS, Kind.READ_MODEL_DIFFERS}}


def _model(table: str) -> str | None:
    """None for heads."""
    schema, _, name = table.partition(".")
    return name.rpartition("_v")[0] if schema == "read" else None


async def test_attack_every_column_of_every_table_that_is_made_of_the_log(database: Database) -> None:
    """One column of each table at once, the next one of each the next time."""
    owner = await asyncpg.connect(database.superuser_url)
    await owner.execute("SET session_replication_role = replica")
    for row in await owner.fetch(LOOSENED):
        await owner.execute(row[0])
    columns: dict[str, list[asyncpg.Record]] = {}
    for row in await owner.fetch(COLUMNS):
        columns.setdefault(row["of"], []).append(row)
        if row["is_made"]:
            await owner.execute(f"ALTER TABLE {row['of']} ALTER {row['name']} DROP EXPRESSION")
    honest = await _verified(database)
    assert [each for each in honest.findings if each.model or each.kind is Kind.HEAD_DIFFERS] == []
    unchanged = set[tuple[str, str]]()
    for nth in range(max(map(len, columns.values()))):
        named = [rows[nth] for rows in columns.values() if nth < len(rows)]
        for emptied in (False, True):
            changed = {of for row in named if (of := await _change(owner, row, emptied=emptied))}
            report = await _verified(database)
            wanted = {_model(of) for of in changed}
            assert _models(report) == wanted, [row["name"] for row in named]
            unchanged |= {(row["of"], row["name"]) for row in named if not emptied and row["of"] not in changed}
            for of in changed:
                await owner.execute(f"DELETE FROM {of}; INSERT INTO {of} SELECT * FROM kept.{of.replace('.', '_')}")
    await owner.close()
    assert unchanged == set()


async def _change(owner: "asyncpg.Connection[asyncpg.Record]", column: asyncpg.Record, *, emptied: bool) -> str | None:
    """Change the column in the last row in which that makes another value, and give the table; None where there is no such row."""
    of, name, kind = column["of"], column["name"], column["type"]
    kept = f"kept.{of.replace('.', '_')}"
    await owner.execute(f"CREATE SCHEMA IF NOT EXISTS kept; CREATE TABLE IF NOT EXISTS {kept} AS TABLE {of}")
    change, instead = CHANGED[kind]
    is_free = not await owner.fetchval("SELECT attnotnull FROM pg_attribute WHERE attrelid = $1::regclass AND attname = $2", of, name)
    value = f"coalesce({change.format(name)}, {instead})"
    if emptied:
        value = "NULL" if is_free else EMPTIED.get(kind, name)
    row = f"SELECT ctid FROM {of} WHERE {name} IS DISTINCT FROM {value} ORDER BY 1 DESC LIMIT 1"
    done = await owner.execute(f"UPDATE {of} SET {name} = {value} WHERE ctid = ({row})")
    return of if done == "UPDATE 1" else None
