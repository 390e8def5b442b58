"""Connections cost who opens them nothing: whoever holds a thousand without a word, or reads no answer, must shut nobody out."""

import asyncio
import errno
import resource
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from adapters.stalled_peers import end_stalled
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


async def test_kept_connections_shut_nobody_out(running: Running) -> None:
    async with httpx.AsyncClient(base_url=running.url, timeout=5) as before:
        assert (await before.get("/health/live")).status_code == 200
    with ExitStack() as held:
        for _ in range(KEPT):
            connected(running, held)
        for _ in range(20):
            unread(running, held)
        async with httpx.AsyncClient(base_url=running.url, timeout=5) as client:
            assert (await client.get("/health/live")).status_code == 200


async def test_who_takes_nothing_in_is_given_up_and_who_is_slow_is_not() -> None:
    with socket.socket() as listening, ExitStack() as held:
        listening.bind(("127.0.0.1", 0))
        end_stalled(listening.getsockname()[1], seconds=1)
        listening.listen()
        await asyncio.sleep(0.2)
        held.enter_context(socket.create_connection(listening.getsockname()))
        to_stalled = held.enter_context(listening.accept()[0])
        slow = held.enter_context(socket.create_connection(listening.getsockname()))
        to_slow = held.enter_context(listening.accept()[0])

        async def read_slowly() -> None:
            while await asyncio.to_thread(slow.recv, 262_144):
                await asyncio.sleep(0.1)

        reading = asyncio.create_task(read_slowly())
        with pytest.raises(TimeoutError) as given_up:
            await asyncio.to_thread(to_stalled.sendall, bytes(64 << 20))
        assert given_up.value.errno == errno.ETIMEDOUT
        await asyncio.to_thread(to_slow.sendall, bytes(8 << 20))
        to_slow.shutdown(socket.SHUT_WR)
        await asyncio.wait_for(reading, 20)
