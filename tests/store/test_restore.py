"""A backup brought into another cluster, whose transaction ids begin low: nothing is lost, and nothing gets two positions."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from adapters import postgres_home
from adapters.embedded_postgres import PostgresServer
from adapters.event_store import PostgresEventStore
from adapters.log_reader import LogReader
from commands.ports import AppendResult, StoredEvent
from domain.ids import StreamName
from migrations import runner
from tests.conftest import Database, database_of
from tests.store.commits import commit, stream, write
from tests.store.sequencing import another_epoch
from workers.sequencer import ForeignLog, Sequencer

BURN = "DO $$ BEGIN FOR n IN 1 .. 4000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"


@pytest.fixture
async def other(servers_folder: Path) -> AsyncIterator[Database]:
    """A fresh cluster with nothing in its database."""
    server = PostgresServer(servers_folder / "restored", durable=False)
    await server.start()
    yield Database(
        name="minos",
        app_url=server.app_url,
        owner_url=server.owner_url,
        superuser_url=database_of(server).superuser_url,
    )
    await server.stop()


async def run(program: str, *arguments: str) -> None:
    path = postgres_home.programs(Path(), None) / program
    child = await asyncio.create_subprocess_exec(path, *arguments, stderr=asyncio.subprocess.PIPE)
    _, errors = await asyncio.wait_for(child.communicate(), 60)
    assert child.returncode == 0, errors.decode()


async def burn_ids(url: str) -> int:
    connection = await asyncpg.connect(url)
    await connection.execute(BURN)
    reached: int = await connection.fetchval("SELECT pg_current_xact_id()::text::bigint")
    await connection.close()
    return reached


async def log(url: str) -> list[StoredEvent]:
    reader = LogReader(url)
    events = (await reader.read(0, 100_000)).events
    await reader.close()
    return list(events)


async def write_some(url: str, names: list[StreamName], version: int) -> None:
    store = PostgresEventStore(url)
    results = await asyncio.gather(*(store.append(commit(write(name, version))) for name in names))
    assert {r.result for r in results} == {AppendResult.DONE}
    await store.close()


async def test_a_restored_log_goes_on_where_it_stood(database: Database, other: Database, tmp_path: Path) -> None:
    names = [stream() for _ in range(40)]
    await burn_ids(database.superuser_url)
    before = Sequencer(database.app_url)
    await write_some(database.app_url, names, 0)
    await before.step()
    await write_some(database.app_url, names, 1)  # not sequenced when the backup is taken
    await before.close()
    old = await log(database.app_url)
    assert len(old) == 40
    newest_xid = await burn_ids(database.superuser_url)

    await run("pg_dump", "--format=custom", f"--file={tmp_path / 'backup'}", database.superuser_url)
    await run("pg_restore", f"--dbname={other.superuser_url}", "--exit-on-error", str(tmp_path / "backup"))

    owner = await asyncpg.connect(other.owner_url)
    assert (await runner.status(owner)).ready
    assert await owner.fetchval("SELECT pg_current_xact_id()::text::bigint") < newest_xid
    await owner.close()
    sequencer = Sequencer(other.app_url)
    with pytest.raises(ForeignLog):
        await sequencer.step()
    await write_some(other.app_url, names, 2)  # writers do not wait for the operator
    step = await another_epoch(other.owner_url)
    assert (step.added, step.size, step.epoch, step.event.kept) == (81, 121, 2, 120)
    await write_some(other.app_url, names, 3)
    await sequencer.step()

    while await burn_ids(other.superuser_url) <= newest_xid:
        pass
    await write_some(other.app_url, names, 4)
    last = await sequencer.step()
    assert last is not None
    assert (last.added, last.size, last.epoch) == (40, 201, 2), "ids of the old cluster, reached again, mean nothing"
    events = await log(other.app_url)
    assert [e.event_id for e in events[:40]] == [e.event_id for e in old]
    assert [e.position for e in events] == list(range(1, 202))
    for name in names:
        assert [e.version for e in events if e.stream == name] == [1, 2, 3, 4, 5]
    await sequencer.close()


async def test_an_epoch_of_a_log_that_is_whole_adds_only_what_tells_of_it(database: Database) -> None:
    await write_some(database.app_url, [stream() for _ in range(10)], 0)
    sequencer = Sequencer(database.app_url)
    await sequencer.step()
    step = await another_epoch(database.owner_url)
    assert (step.added, step.size, step.epoch) == (1, 11, 2)
    after = await sequencer.step()
    assert after is not None
    assert (after.added, after.size) == (0, 11)
    await sequencer.close()
