"""The embedded nats-server: who may enter, what survives a kill."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import nats
import pytest
from nats.js.api import StreamConfig

from adapters.children import AlreadyRunning
from adapters.embedded_nats import NatsServer


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    server = NatsServer(tmp_path / "nats")
    await server.start()
    yield server
    await server.stop()


async def test_an_acknowledged_message_survives_a_kill_at_the_same_address(server: NatsServer) -> None:
    url = server.url
    client = await nats.connect(url)
    await client.jetstream().add_stream(StreamConfig(name="kept", subjects=["kept"]))
    await client.jetstream().publish("kept", b"1")
    await client.close()
    await server.kill()
    await server.start()
    assert server.url == url
    client = await nats.connect(url)
    assert (await client.jetstream().stream_info("kept")).state.messages == 1
    await client.close()


async def test_nobody_enters_without_the_password(server: NatsServer) -> None:
    host, _, port = server.url.partition("@")[2].partition(":")
    assert host == "127.0.0.1"
    for who in (b"{}", b'{"user": "minos", "pass": "guess"}'):
        reader, writer = await asyncio.open_connection(host, int(port))
        await reader.readline()
        writer.write(b"CONNECT " + who + b"\r\nPING\r\n")
        assert (await reader.readline()).startswith(b"-ERR 'Authorization Violation'")
        writer.close()
        await writer.wait_closed()
    for kept in ("password", "nats.conf", "nats.log"):
        assert (server.home / kept).stat().st_mode & 0o077 == 0


async def test_the_port_is_kept_unless_somebody_took_it(server: NatsServer) -> None:
    kept = server.url
    await server.stop()
    again = NatsServer(server.home)
    await again.start()
    assert again.url == kept
    await again.stop()
    with socket.create_server(("127.0.0.1", int(kept.rpartition(":")[2]))):
        other = NatsServer(server.home)
        await other.start()
        assert other.url != kept
        await other.stop()


async def test_a_folder_serves_one_server_at_a_time(server: NatsServer) -> None:
    with pytest.raises(AlreadyRunning):
        await NatsServer(server.home).start()


async def test_a_server_left_running_is_stopped_before_the_next_starts(server: NatsServer) -> None:
    left = server._child
    assert left is not None
    server._released()
    await server.start()
    assert left.poll() is not None


async def test_a_path_with_spaces_and_quotes_works(tmp_path: Path) -> None:
    server = NatsServer(tmp_path / "with 'single' and \"double\" {braces}")
    await server.start()
    await server.stop()
