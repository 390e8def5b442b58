"""What happens after a service began to read must be heard: the server knows its subscriptions before."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from minos_sdk import NatsFeed, StaticLogin
from minos_sdk.testing import Authority


class Noting:
    """Lets everybody in, and keeps the first word of each line it is told until something is read from a stream."""

    def __init__(self) -> None:
        self.told: list[bytes] = []
        self.asked = asyncio.Event()

    async def greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        info = {"server_id": "x", "version": "2.12.0", "proto": 1, "max_payload": 1 << 20, "headers": True}
        writer.write(b"INFO " + json.dumps(info).encode() + b"\r\n")
        while line := await reader.readline():
            word, _, subject = line.strip().partition(b" ")
            if word == b"PING":
                writer.write(b"PONG\r\n")
            if word == b"PUB":
                self.asked.set()
            if not self.asked.is_set() and not subject.startswith(b"_INBOX"):
                self.told.append(word)
        writer.close()


@pytest.fixture
async def noting() -> AsyncIterator[tuple[Noting, str]]:
    noting = Noting()
    server = await asyncio.start_server(noting.greet, "127.0.0.1", 0)
    yield noting, f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    await server.wait_closed()


async def test_the_server_has_taken_the_subscriptions_before_anything_is_read(
    noting: tuple[Noting, str], minos_authority: Authority
) -> None:
    server, url = noting
    verifier = minos_authority.verifier(feed=NatsFeed(url, login=StaticLogin("orders", "a password")))
    await verifier.start(wait=0)
    async with asyncio.timeout(10):
        await server.asked.wait()
    await verifier.close()
    assert server.told[:2] == [b"CONNECT", b"PING"]
    assert server.told[2:] == [*[b"SUB"] * 5, b"PING"]
