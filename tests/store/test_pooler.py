"""The whole store through a real PgBouncer in transaction mode, with fewer server connections than the store has."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from adapters import postgres_home
from adapters.event_store import PostgresEventStore
from adapters.log_reader import LogReader
from commands.ports import AppendResult
from tests.conftest import Database
from tests.store.commits import commit, holder_of, idempotency, mac, stream, take, write
from workers.sequencer import Sequencer

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

CONF = """
[databases]
{name} = host={host} dbname={name} user=minos_app password={password}
[pgbouncer]
listen_port = 6432
unix_socket_dir = {folder}
unix_socket_mode = 0777
auth_type = any
pool_mode = transaction
default_pool_size = 2
"""


@pytest.fixture
async def pooled_url(database: Database) -> AsyncIterator[str]:
    if PGBOUNCER is None:
        pytest.skip("pgbouncer is not installed")
    url = urlsplit(database.app_url)
    user = postgres_home.system_user()
    with tempfile.TemporaryDirectory(prefix="minos-pooler-") as name:
        folder = Path(name)
        conf = folder / "pgbouncer.ini"
        host = parse_qs(url.query)["host"][0]
        conf.write_text(CONF.format(name=database.name, host=host, password=url.password, folder=folder))
        if user is not None:
            os.chown(folder, user.uid, user.gid)
            os.chown(conf, user.uid, user.gid)
        child = await asyncio.create_subprocess_exec(
            PGBOUNCER, "-q", str(conf), user=None if user is None else user.uid, group=None if user is None else user.gid
        )
        try:
            pooled = f"postgresql://minos_app@/{database.name}?host={folder}&port=6432"
            await until_it_answers(pooled)
            yield pooled
        finally:
            child.terminate()
            await asyncio.wait_for(child.wait(), 10)


async def until_it_answers(url: str) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                connection = await asyncpg.connect(url, statement_cache_size=0)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            await connection.close()
            return


async def test_everything_works_over_two_pooled_connections(pooled_url: str) -> None:
    stores = [PostgresEventStore(pooled_url, prepared=False) for _ in range(3)]
    sequencer, reader = Sequencer(pooled_url, prepared=False), LogReader(pooled_url, prepared=False)
    owner, claim, key = stream("claim"), mac(), idempotency()
    assert (await stores[0].append(commit(write(owner, 0), claims=(take(claim, owner),), idempotency=key))).result is AppendResult.DONE
    contended = stream()
    for version in range(10):
        results = await asyncio.gather(*(s.append(commit(write(contended, version))) for s in stores for _ in range(5)))
        assert [r.result for r in results].count(AppendResult.DONE) == 1
        await asyncio.gather(*(s.load([contended, owner]) for s in stores), sequencer.step())
    assert (await stores[1].find_holder([claim])).holder == holder_of(owner)
    assert await stores[2].find_outcome(key.key) is not None
    assert [e.position for e in await stores[0].read_stream(contended)] == list(range(2, 12))
    assert (await reader.read(0, 100)).through == 11
    await asyncio.gather(sequencer.close(), reader.close(), *(s.close() for s in stores))
