"""Whoever sits between a service and NATS must not get its credential by leaving TLS out."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from minos_sdk import NatsFeed, StaticLogin
from minos_sdk.feeds.nats_servers import Servers
from minos_sdk.testing import Authority

FAR = "127.0.0.2"
"""Of this machine, but no name of it that is known."""


class Between:
    """Greets as NATS does, with no word of TLS, and keeps what it is told."""

    def __init__(self) -> None:
        self.told = b""
        self.left = asyncio.Event()

    async def greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        info = {"server_id": "x", "version": "2.12.0", "proto": 1, "auth_required": True, "max_payload": 1024, "headers": True}
        writer.write(b"INFO " + json.dumps(info).encode() + b"\r\n")
        while line := await reader.readline():
            self.told += line
            if line.startswith(b"PING"):
                break
        self.left.set()
        writer.close()


@pytest.fixture
async def between() -> AsyncIterator[tuple[Between, str]]:
    between = Between()
    server = await asyncio.start_server(between.greet, FAR, 0)
    yield between, f"tls://{FAR}:{server.sockets[0].getsockname()[1]}"
    server.close()
    await server.wait_closed()


class Token:
    async def token(self, audience: str) -> str:
        return Authority(audience=audience).tokens.service("orders")


def feed_with(kind: str, url: str, *, plaintext: bool) -> NatsFeed:
    if kind == "token":
        return NatsFeed(url, Token(), plaintext=plaintext)
    return NatsFeed(url, login=StaticLogin("orders", "secret password"), plaintext=plaintext)


async def told_by(kind: str, between: tuple[Between, str], authority: Authority, *, plaintext: bool) -> bytes:
    verifier = authority.verifier(feed=feed_with(kind, between[1], plaintext=plaintext))
    await verifier.start(wait=0)
    async with asyncio.timeout(10):
        await between[0].left.wait()
    await verifier.close()
    return between[0].told


@pytest.mark.parametrize("kind", ["token", "password"])
async def test_attack_tls_left_out_by_who_sits_in_between(kind: str, between: tuple[Between, str], minos_authority: Authority) -> None:
    assert await told_by(kind, between, minos_authority, plaintext=False) == b""


@pytest.mark.parametrize(("kind", "shown"), [("token", b"auth_token"), ("password", b"secret password")])
async def test_a_network_of_ones_own_may_do_without(
    kind: str, shown: bytes, between: tuple[Between, str], minos_authority: Authority
) -> None:
    assert shown in await told_by(kind, between, minos_authority, plaintext=True)


def test_what_needs_tls_is_what_is_far() -> None:
    needing = {
        url: Servers.of([url], plaintext=False).need_tls
        for url in ("nats://127.0.0.1:4222", "localhost:4222", "nats://nats:4222", "wss://nats")
    }
    assert list(needing.values()) == [False, False, True, False]
    assert Servers.of(["nats://localhost", "nats://nats"], plaintext=False).need_tls
    with pytest.raises(ValueError, match="wss"):
        Servers.of(["ws://nats:8080"], plaintext=False)
