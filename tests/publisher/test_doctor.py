"""What `minos doctor` says of the stream: that it goes on where the log does, and when it does not."""

import socket
from collections.abc import AsyncIterator

import pytest

from adapters.embedded_nats import NatsServer
from adapters.secret import Secret
from adapters.settings import Settings
from cli import broker_checks
from cli.finding import Finding
from tests.conftest import Database
from tests.publisher.conftest import Line, laid
from tests.publisher.test_publisher import ANOTHER


@pytest.fixture
async def line(database: Database, nats_server: NatsServer) -> AsyncIterator[Line]:
    async with laid(database, nats_server, "MINOS_EVENTS", "minos.examined") as line:
        yield line
        await line.ask("STREAM.DELETE.MINOS_EVENTS")


async def stream_finding(line: Line, nats_server: NatsServer) -> Finding:
    settings = Settings(
        database_url=Secret(line.database.app_url), nats_url=Secret(nats_server.url), nats_credentials=nats_server.credentials
    )
    found = {finding.check: finding async for finding in broker_checks.broker(settings)}
    assert all(finding.ok for name, finding in found.items() if name != "stream"), found
    assert {"broker", "stream room"} < set(found)
    return found["stream"]


async def test_a_stream_that_ends_with_the_log_is_well(line: Line, nats_server: NatsServer) -> None:
    await line.sent(3)
    assert (await stream_finding(line, nats_server)).ok


async def test_a_stream_that_stands_still_is_told_of(line: Line, nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_checks, "FURTHEST_BEHIND_S", 0.0)
    await line.sent()
    await line.grow()
    finding = await stream_finding(line, nats_server)
    assert not finding.ok
    assert "do workers run" in finding.detail


async def test_a_stream_that_knows_more_than_the_log_is_told_of(line: Line, nats_server: NatsServer) -> None:
    await line.sent()
    await line.intrude(ANOTHER)
    finding = await stream_finding(line, nats_server)
    assert not finding.ok
    assert "it ends at 3, the log at 2" in finding.detail


async def test_a_database_that_is_away_is_not_taken_for_nats(line: Line, nats_server: NatsServer) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = f"postgresql://minos_app@127.0.0.1:{nobody.getsockname()[1]}/minos"
        settings = Settings(database_url=Secret(away), nats_url=Secret(nats_server.url), nats_credentials=nats_server.credentials)
        broker, stream = [finding async for finding in broker_checks.broker(settings)]
    assert (broker.check, broker.ok) == ("broker", True)
    assert (stream.check, stream.ok) == ("stream", False)
    assert "nothing to hold it against" in stream.detail
