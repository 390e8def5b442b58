"""One authority for all these tests, started as anybody starts it, with its first administrator; or one of a test's own."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from bench.running import Running
from docs.console.authority import ROOT
from tests.e2e.collector import Collector, collecting, traceparent
from tests.e2e.people import Person, bootstrap, client_of

CHEAP_HASHES = {"argon2_memory_kib": "7168", "argon2_passes": "1"}
SMALL = CHEAP_HASHES | {"workers": "1"}
"""For who asks nothing that several processes of the API might answer differently: each takes more than half a second to start."""
LIFE_S = 1800
"""Of an access token: people sign in once for all tests, however long those take."""
RAISED_LIMITS = {"limits_file": str(ROOT / "bench" / "limits_raised.toml")}
"""All these tests come from one address."""


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="minos-e2e-", ignore_cleanup_errors=True) as made:
        yield Path(made)


@pytest.fixture
def own_folder() -> Iterator[Path]:
    """For a test that starts an authority of its own."""
    with tempfile.TemporaryDirectory(prefix="minos-e2e-", ignore_cleanup_errors=True) as made:
        yield Path(made)


@pytest.fixture(scope="session")
async def running(folder: Path) -> AsyncIterator[Running]:
    async with Running(folder, access_token_ttl=str(LIFE_S), audiences="orders,reports", **CHEAP_HASHES, **RAISED_LIMITS) as running:
        yield running


@pytest.fixture(scope="session")
async def http(running: Running) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(running) as http:
        yield http


@pytest.fixture(scope="session")
async def admin(running: Running, http: httpx.AsyncClient) -> Person:
    return await bootstrap(http, running.bootstrap_code)


@pytest.fixture(scope="session")
async def traced() -> AsyncIterator[tuple[Running, Collector]]:
    """Another authority, which tells a collector of all it does."""
    with tempfile.TemporaryDirectory(prefix="minos-e2e-", ignore_cleanup_errors=True) as folder, collecting() as collector:
        running = Running(Path(folder), log_level="debug", audiences="orders,reports", **CHEAP_HASHES, **RAISED_LIMITS)
        collector.told_to(running)
        async with running:
            yield running, collector


@pytest.fixture
def collector(traced: tuple[Running, Collector]) -> Collector:
    return traced[1]


@pytest.fixture
async def traced_http(traced: tuple[Running, Collector]) -> AsyncIterator[httpx.AsyncClient]:
    """Every request under a trace of its own; `collector.arrived` finds it."""

    async def begin_trace(request: httpx.Request) -> None:
        request.headers.setdefault("traceparent", traceparent())

    async with client_of(traced[0]) as http:
        http.event_hooks["request"].append(begin_trace)
        yield http
