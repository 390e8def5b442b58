"""Every statement is one the schema knows, and the hot ones stay on indexes however the tables grew."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest

from adapters.event_store import PostgresEventStore
from adapters.log_reader import LogReader
from adapters.postgres_sql import statements
from domain.errors import IdempotencyKeysExhausted
from tests.conftest import Database
from tests.store.commits import commit, idempotency, mac, stream, take, write
from workers.sequencer import Sequencer

ROOT = Path(__file__).parents[2]
FILES = [
    ROOT / "adapters/event_store.sql",
    ROOT / "adapters/log_reader.sql",
    ROOT / "adapters/signal_rows.sql",
    ROOT / "adapters/checkpoint_key.sql",
    ROOT / "adapters/tree_store.sql",
    ROOT / "adapters/log_entries.sql",
    ROOT / "cli/tree_checks.sql",
    ROOT / "workers/sequencer.sql",
    ROOT / "workers/mailer/ledger.sql",
    ROOT / "workers/signals/outbox.sql",
    ROOT / "workers/reaper.sql",
]
TABLES = "heads, claim_index, command_results, log_runs, log_head, events_p000000"

FILL = """
INSERT INTO heads SELECT 'filled-' || n, 1, 'state', 1 FROM generate_series(1, 5000) n;
INSERT INTO claim_index SELECT 1, sha256(n::text::bytea), 'filled-' || n, gen_random_uuid() FROM generate_series(1, 5000) n;
INSERT INTO command_results SELECT sha256(n::text::bytea), 'd', 'o', 'system' FROM generate_series(1, 5000) n;
INSERT INTO log_runs SELECT 1000000 + n, 1000000 + 2 * n, 1 FROM generate_series(1, 5000) n;
INSERT INTO events (stream, version, type, slot, event_id, actor, command_id, correlation_id, payload)
SELECT 'filled-' || n, 1, 'test.happened.v1', 0, gen_random_uuid(), 'system', gen_random_uuid(), gen_random_uuid(), '{}'
FROM generate_series(1, 20000) n;
"""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_the_database_can_prepare_every_statement(database: Database, path: Path) -> None:
    connection = await asyncpg.connect(database.app_url)
    for sql in statements(path).values():
        await connection.prepare(sql)
    await connection.close()


def test_a_statement_name_is_there_once(tmp_path: Path) -> None:
    path = tmp_path / "twice.sql"
    path.write_text("-- name: a\nSELECT 1\n\n-- name: a\nSELECT 2\n")
    with pytest.raises(ValueError, match=r"twice\.sql"):
        statements(path)


async def scans(database: Database) -> Mapping[str, int]:
    connection = await asyncpg.connect(database.owner_url)
    try:
        # Backends report their counters when idle, at most once a second.
        await asyncio.sleep(1.2)
        rows = await connection.fetch(
            "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname = ANY (string_to_array($1, ', '))", TABLES
        )
        return {row[0]: row[1] for row in rows}
    finally:
        await connection.close()


@pytest.mark.parametrize("analysed", [True, False], ids=["analysed", "never analysed"])
async def test_nothing_on_the_hot_paths_scans_a_table(database: Database, postgres_store: PostgresEventStore, analysed: bool) -> None:
    reader, sequencer = LogReader(database.app_url), Sequencer(database.app_url)

    async def use() -> None:
        name, claim = stream(), mac()
        for version in range(8):
            await postgres_store.append(commit(write(name, version), write(stream(), 0)))
            await sequencer.step()
        await postgres_store.append(commit(write(name, 8), claims=(take(claim, name),), idempotency=idempotency()))
        await postgres_store.append(commit(write(name, 3)))
        await postgres_store.load([name, stream()])
        await postgres_store.read_stream(name)
        await postgres_store.find_holder([claim, mac()], categories=["test", "user"], also=[name, stream()])
        await postgres_store.find_outcome(b"k" * 32, capped="user:nobody")
        with suppress(IdempotencyKeysExhausted):
            await postgres_store.find_outcome(b"k" * 32, capped="system")
        await sequencer.step()
        size = (await reader.size()).size
        await reader.read(size - 10, 10)
        await reader.read(size, 10)

    for _ in range(4):
        await use()
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute(FILL)
    if analysed:
        await owner.execute("ANALYZE")
    await owner.close()
    before = await scans(database)
    await use()
    after = await scans(database)
    # One row, one page: a scan of log_head by a statement outside our functions is its cheapest plan.
    assert {t: n for t, n in after.items() if t != "log_head"} == {t: n for t, n in before.items() if t != "log_head"}
    await reader.close()
    await sequencer.close()
