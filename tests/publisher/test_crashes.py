"""Kill -9 of everything on the way from the log to readers: nothing is lost, nothing is skipped."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from pathlib import Path
from time import monotonic

import asyncpg
import pytest

from adapters.embedded_nats import NatsServer
from adapters.embedded_postgres import PostgresServer
from adapters.event_store import PostgresEventStore
from domain.errors import StoreUnavailable
from projections import generations
from projections.catalogue import ALL
from tests.conftest import Database, database_of
from tests.projections.histories import Scribe
from tests.publisher.conftest import Line, drain, laid
from workers import rebuild_check
from workers.projector import Projector
from workers.publisher import Publisher
from workers.sequencer import Sequencer


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[NatsServer]:
    """A NATS of the test's own: to be killed."""
    server = NatsServer(tmp_path / "nats")
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@pytest.fixture
async def fragile(database: Database, broker: NatsServer) -> AsyncIterator[Line]:
    async with laid(database, broker, "FRAGILE", "fragile.events") as line:
        yield line


async def _until_sent(line: Line, publisher: Publisher) -> None:
    from adapters.jetstream import NotTheEnd, StreamAway

    async with asyncio.timeout(20):
        while True:
            with suppress(StreamAway, NotTheEnd):
                await drain(publisher)
                return
            await asyncio.sleep(0.05)


async def test_a_killed_broker_goes_on_with_the_same_numbers(fragile: Line, broker: NatsServer) -> None:
    publisher = await fragile.sent(5)
    await broker.kill()
    await fragile.grow(5)
    await broker.start()
    await _until_sent(fragile, publisher)
    assert await fragile.last_sequence() == 20
    assert [(await fragile.message(n))["position"] for n in (1, 10, 11, 20)] == [1, 10, 11, 20]


async def test_a_broker_that_lost_its_tail_gets_the_same_messages_again(fragile: Line, broker: NatsServer, tmp_path: Path) -> None:
    publisher = await fragile.sent(3)
    await broker.kill()
    shutil.copytree(broker.home / "jetstream", tmp_path / "older")
    await broker.start()
    await fragile.grow(3)
    await _until_sent(fragile, publisher)
    newest = [await fragile.message(n) for n in range(1, 13)]
    await broker.kill()
    shutil.rmtree(broker.home / "jetstream")
    shutil.copytree(tmp_path / "older", broker.home / "jetstream")
    await broker.start()
    await fragile.grow()
    await _until_sent(fragile, publisher)
    assert [await fragile.message(n) for n in range(1, 13)] == newest
    assert await fragile.last_sequence() == 14


async def test_a_killed_database_leaves_rows_and_position_in_step(durable_server: PostgresServer) -> None:
    database = database_of(durable_server)
    store, sequencer, projector = PostgresEventStore(database.app_url), Sequencer(database.app_url), Projector(database.app_url)
    scribe = Scribe(store)
    await projector.begin()

    async def work() -> None:
        while True:
            await scribe.session(await scribe.user())
            await sequencer.step()
            await projector.step()

    for _ in range(2):
        working = asyncio.create_task(work())
        await asyncio.sleep(0.4)
        await durable_server.kill()
        with suppress(StoreUnavailable, OSError, asyncpg.PostgresError):
            await working
        await durable_server.start()
        scribe.versions.clear()
    async with asyncio.timeout(20):
        while (step := await sequencer.step()) is None or step.added:
            pass
        while await projector.step():
            pass
    await _assert_models_are_folds(database.app_url, step.size)
    await projector.close()
    await sequencer.close()
    await store.close()


async def _assert_models_are_folds(url: str, size: int) -> None:
    connection = await asyncpg.connect(url)
    try:
        assert await connection.fetchval("SELECT min(position) FROM projection_state") == size
        assert await connection.fetchval("SELECT count(*) FROM read.audit_events_v1_g1") == size
        for projection in ALL:
            generation = await generations.served(connection, projection)
            assert generation is not None
            _, differing = await rebuild_check.sample(connection, projection, generation)
            assert differing == []
    finally:
        await connection.close()


def _workers(database: Database, broker: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, **broker, "MINOS_DATABASE_URL": database.app_url, "PYTHONPATH": str(Path.cwd())}
    return subprocess.Popen([sys.executable, "-m", "workers"], env=environment, stderr=subprocess.DEVNULL)


def _named(broker: NatsServer) -> dict[str, str]:
    return {"MINOS_NATS_URL": broker.url, "MINOS_NATS_CREDENTIALS": str(broker.credentials)}


async def test_killed_workers_skip_nothing(fragile: Line, broker: NatsServer) -> None:
    line = Line(fragile.scribe, fragile.sequencer, fragile.client, fragile.database, "MINOS_EVENTS", "minos.events")
    for _ in range(3):
        process = _workers(line.database, _named(broker))
        try:
            deadline = monotonic() + 1.2
            while monotonic() < deadline:
                await line.scribe.session(await line.scribe.user())
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=5)
    process = _workers(line.database, _named(broker))
    size = await line.sequence()
    connection = await asyncpg.connect(line.database.app_url)
    try:
        async with asyncio.timeout(20):
            while await connection.fetchval("SELECT min(position) FROM projection_state") != size or await line.last_sequence() != size:
                await asyncio.sleep(0.05)
        assert (await line.message(size))["position"] == size
        await _assert_models_are_folds(line.database.app_url, size)
    finally:
        await connection.close()
        process.terminate()
        assert process.wait(timeout=5) == 0


async def test_workers_end_by_themselves_when_told_to(fragile: Line, broker: NatsServer) -> None:
    process = _workers(fragile.database, _named(broker))
    await fragile.scribe.user()
    async with asyncio.timeout(15):
        while not (await fragile.ask("STREAM.INFO.MINOS_EVENTS")).get("state", {}).get("last_seq"):
            await asyncio.sleep(0.02)
    process.terminate()
    assert await asyncio.to_thread(process.wait, 15) == 0


async def test_everything_but_the_push_goes_on_without_a_broker(database: Database, tmp_path: Path) -> None:
    process = _workers(database, {"MINOS_NATS_URL": "nats://127.0.0.1:9"})
    store = PostgresEventStore(database.app_url)
    connection = await asyncpg.connect(database.app_url)
    try:
        await Scribe(store).user()
        async with asyncio.timeout(15):
            while await connection.fetchval("SELECT min(position) FROM projection_state") != 2:
                await asyncio.sleep(0.02)
    finally:
        process.terminate()
        process.wait(timeout=5)
        await connection.close()
        await store.close()
