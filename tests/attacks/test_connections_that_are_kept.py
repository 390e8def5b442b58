"""Connections cost who opens them nothing: whoever holds a thousand without a word, or reads no answer, must shut nobody out."""

import asyncio
import resource
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from adapters.stalled_peers import STALLED_SECONDS, end_stalled
from bench.processes import tree
from bench.running import Running

KEPT = 1_500
"""More than the server would hold by itself."""


@pytest.fixture
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 4 * KEPT:
        pytest.skip("the system lets a process have too few files to try it")
    resource.setrlimit(resource.RLIMIT_NOFILE, (4 * KEPT, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
async def running(tmp_path: Path, many_files: None) -> AsyncIterator[Running]:
    async with Running(tmp_path) as running:
        yield running


def connected(running: Running, held: ExitStack) -> socket.socket:
    address = urlsplit(running.url)
    connection = held.enter_context(socket.socket())
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
    connection.settimeout(5)
    connection.connect((address.hostname, address.port))
    return connection


def unread(running: Running, held: ExitStack) -> None:
    """Ask for more than fits on the way, and read none of it."""
    request = f"GET /openapi.json HTTP/1.1\r\nHost: {urlsplit(running.url).netloc}\r\n\r\n".encode()
    connected(running, held).sendall(40 * request)


def sockets(running: Running) -> int:
    """How many sockets the process that answers has open."""
    _, answers, *_ = tree(running.pid("api"))
    return sum(descriptor.is_socket() for descriptor in Path(f"/proc/{answers}/fd").iterdir())


async def test_kept_connections_shut_nobody_out_and_unread_answers_are_given_up(running: Running) -> None:
    async with httpx.AsyncClient(base_url=running.url, timeout=5) as before:
        assert (await before.get("/health/live")).status_code == 200
        usual = sockets(running)
    with ExitStack() as held:
        for _ in range(KEPT):
            connected(running, held)
        for _ in range(20):
            unread(running, held)
        async with httpx.AsyncClient(base_url=running.url, timeout=5) as client:
            assert (await client.get("/health/live")).status_code == 200
        until = time.monotonic() + 3 * STALLED_SECONDS
        while sockets(running) > usual and time.monotonic() < until:
            await asyncio.sleep(0.2)
        assert sockets(running) <= usual


async def test_what_a_listening_socket_accepts_inherits_the_limit() -> None:
    with socket.socket() as listening, ExitStack() as held:
        listening.bind(("127.0.0.1", 0))
        end_stalled(listening.getsockname()[1], seconds=0.5)
        listening.listen()
        await asyncio.sleep(0.2)
        peer = held.enter_context(socket.create_connection(listening.getsockname()))
        accepted = held.enter_context(listening.accept()[0])
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 500
        assert peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 0
