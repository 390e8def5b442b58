"""A connection to NATS is closed in time, and says no more than it has to, whatever the server does."""

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from nats.errors import UnexpectedEOF
from structlog.testing import capture_logs

from adapters.nats_client import NatsConnection

INFO = b'INFO {"server_id":"x","version":"2.11.0","proto":1,"max_payload":8388608,"headers":true}\r\n'
CLOSING = """
import asyncio, os, sys
from adapters.nats_client import NatsConnection

async def send(connection):
    for _ in range(64):  # more than what is on the way can hold
        await connection.client.publish("minos.test", bytes(1 << 20))

async def main():
    connection = NatsConnection(sys.argv[1])
    await connection.connect()
    sending = asyncio.create_task(send(connection))
    await asyncio.sleep(0.3)
    assert not sending.done()
    await connection.close()
    os.write(1, b"closed")
    os._exit(0)

asyncio.run(main())
"""


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)
        yield listening


def test_a_server_that_takes_nothing_in_is_left_in_time(server: socket.socket) -> None:
    url = f"nats://127.0.0.1:{server.getsockname()[1]}"
    with subprocess.Popen([sys.executable, "-c", CLOSING, url], stdout=subprocess.PIPE) as program:
        try:
            met, _ = server.accept()
            with met:
                met.sendall(INFO)
                while b"PING" not in met.recv(4_096):
                    pass
                met.sendall(b"PONG\r\n")
                assert program.communicate(timeout=10)[0] == b"closed"
        finally:
            program.kill()


async def test_an_error_that_goes_on_is_said_once_until_nats_is_back() -> None:
    """Each try to connect has one, many times a second, for as long as NATS is away."""
    connection = NatsConnection("nats://127.0.0.1:1")
    with capture_logs() as said:
        for error in (UnexpectedEOF(), ConnectionRefusedError(), ConnectionRefusedError()):
            await connection._on_error(error)
        await connection._on_return()
        await connection._on_error(ConnectionRefusedError())
    assert [line.get("error_type", line["event"]) for line in said] == [
        "UnexpectedEOF", "ConnectionRefusedError", "nats_connection_back", "ConnectionRefusedError",
    ]  # fmt: skip


async def test_one_that_was_never_used_is_closed_too() -> None:
    await NatsConnection("nats://127.0.0.1:1").close()
