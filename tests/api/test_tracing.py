"""Which spans are made, and that without tracing nothing is in the way. `tests/e2e/test_spans.py` has what a collector is told."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, fields
from pathlib import Path

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from adapters.event_store import PostgresEventStore
from adapters.hashing.hasher import Argon2Hasher
from adapters.hashing.queue import NoHashMetrics
from adapters.ports import open_ports
from adapters.store_metrics import Flushed, NoMetrics
from adapters.telemetry.chosen import NoTelemetry
from adapters.telemetry.spans import Spans, spans
from api.addresses import Addresses
from api.asgi import Receive, Scope, Send
from api.composition import _ports, open_world
from api.edge import Edge
from api.metrics import HashFigures
from api.traced_ports import HashSpans, TracedHasher, TracedStore
from api.watched_store import WatchedStore
from commands.ports import Ports
from domain.errors import Overloaded, StoreUnavailable
from domain.ids import StreamName
from tests.api.conftest import Served, settings_for
from tests.conftest import Database
from tests.limits.given import limits, unlimited

SECRET = "what only they know"
NOBODY = [StreamName("user-0")]


class Kept:
    """Spans, kept instead of sent."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.spans = Spans(provider)

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self._exporter.get_finished_spans() if span.name == name]

    def one(self, name: str) -> ReadableSpan:
        (span,) = self.named(name)
        return span


@pytest.fixture
def kept() -> Kept:
    return Kept()


class Sizes(NoMetrics):
    def __init__(self) -> None:
        self.sizes: list[int] = []

    def flushed(self, kind: Flushed, size: int, seconds: float) -> None:
        self.sizes.append(size)


@dataclass(slots=True)
class StoreUnderTest:
    raw: PostgresEventStore
    traced: TracedStore
    flushes: Sizes


@pytest.fixture
async def store(database: Database, kept: Kept) -> AsyncIterator[StoreUnderTest]:
    flushes = Sizes()
    raw = PostgresEventStore(database.app_url, metrics=flushes)
    yield StoreUnderTest(raw, TracedStore(raw, kept.spans), flushes)
    await raw.close()


def own(span: ReadableSpan) -> int:
    assert span.context is not None
    return span.context.span_id


def parent(span: ReadableSpan) -> int:
    assert span.parent is not None
    return span.parent.span_id


def test_without_an_endpoint_nothing_of_it_is_loaded(tmp_path: Path) -> None:
    told = "import sys; from api.app import create; create(); print({'opentelemetry.sdk', 'opentelemetry.trace'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", told], cwd=tmp_path, env={}, capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.splitlines()[-1] == "set()"


def test_without_an_endpoint_there_are_no_spans() -> None:
    assert spans("minos.api", {}) is None


def test_an_endpoint_without_the_extra_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(NoTelemetry, match="minos"):
        spans("minos.api", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"})


async def test_without_tracing_the_ports_are_those_that_were_opened(served: Served, api_database: Database, api_folder: Path) -> None:
    async with open_ports(settings_for(api_database, api_folder)) as opened:
        ports = _ports(opened, lambda _: None, None)
    assert isinstance(ports.store, WatchedStore)
    assert ports.store._store is opened.store
    rest = [field.name for field in fields(Ports) if field.name != "store"]
    assert [name for name in rest if getattr(ports, name) is not getattr(opened.ports, name)] == []


async def test_without_tracing_nobody_stands_before_the_edge_or_the_queue(served: Served, api_database: Database, api_folder: Path) -> None:
    assert served.edge._answering == served.edge._answer
    async with open_world(settings_for(api_database, api_folder), limits(), leaving=asyncio.Event()) as world:
        assert isinstance(world.ports.hasher, Argon2Hasher)
        assert type(world.ports.hasher._queue._metrics) is HashFigures


async def test_callers_of_one_batch_each_have_a_span_below_their_own(kept: Kept, store: StoreUnderTest) -> None:
    async def request(n: int) -> None:
        with kept.spans.request(f"request {n}", {}, traceparent=None):
            await asyncio.sleep(0)  # until all requests have begun
            await store.traced.load(NOBODY * n)

    await asyncio.gather(*(request(n) for n in range(1, 9)))
    assert store.flushes.sizes == [8]
    below = {parent(span): span for span in kept.named("load heads")}
    for n in range(1, 9):
        span = below[own(kept.one(f"request {n}"))]
        assert span.attributes is not None
        assert span.attributes["minos.streams"] == n


async def test_steps_in_a_task_of_the_request_are_below_it(kept: Kept, store: StoreUnderTest) -> None:
    with kept.spans.request("request", {}, traceparent=None):
        task = asyncio.create_task(store.traced.load(NOBODY))
    await task
    assert parent(kept.one("load heads")) == own(kept.one("request"))


async def test_a_refusal_is_told_by_its_code_and_is_no_error(kept: Kept, store: StoreUnderTest) -> None:
    await store.raw.close()
    with pytest.raises(StoreUnavailable):
        await store.traced.load(NOBODY)
    span = kept.one("load heads")
    assert span.attributes is not None
    assert span.attributes["minos.refusal"] == StoreUnavailable.code
    assert (span.status.is_unset, "error.type" in span.attributes) == (True, False)


async def test_what_nobody_expected_is_an_error_without_its_words(kept: Kept, store: StoreUnderTest) -> None:
    with pytest.raises(ValueError, match="at least one"):
        await store.traced.load([])
    span = kept.one("load heads")
    assert span.attributes is not None
    assert span.attributes["error.type"] == "ValueError"
    assert (span.status.is_ok, span.status.is_unset, span.status.description) == (False, False, None)
    assert "at least one" not in span.to_json()


async def test_a_hash_turned_away_has_waited_and_nothing_more(kept: Kept) -> None:
    hasher = Argon2Hasher(memory_kib=7168, passes=1, threads=1, queue_limit=3, metrics=HashSpans(NoHashMetrics()))
    traced = TracedHasher(hasher, kept.spans)
    results = await asyncio.gather(*(traced.hash(SECRET) for _ in range(4)), return_exceptions=True)
    hasher.close()
    assert [type(result) for result in results] == [str, str, str, Overloaded]
    waits = kept.named("wait for hasher")
    told = [(span.attributes or {}).get("minos.refusal") for span in waits]
    assert sorted(told, key=str) == [None, None, None, Overloaded.code]
    assert len(kept.named("hash password")) == 3
    assert all(span.status.is_unset for span in waits)


async def test_a_request_that_fails_is_an_error_without_its_words(kept: Kept) -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError(SECRET)

    edge = Edge(
        failing,
        hosts=["127.0.0.1"],
        proxies=(),
        https=False,
        methods={},
        addresses=Addresses([]),
        leaving=asyncio.Event(),
        spans=kept.spans,
    )
    edge.let_everyone_in({}, unlimited())
    transport = httpx.ASGITransport(app=edge)  # type: ignore[arg-type]  # the same protocol, typed less openly
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        assert (await http.request("BREW", "/pot")).status_code == 500
    span = kept.one("HTTP")
    assert dict(span.attributes or {}) == {"http.request.method": "_OTHER", "http.response.status_code": 500, "error.type": "500"}
    assert (span.status.is_unset, span.status.description) == (False, None)
    assert SECRET not in span.to_json()
