"""What a collector is told of a request: what it waited for, below its own span, and nothing about anybody."""

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bench.running import Running
from tests.e2e.collector import Collector, Span, collecting
from tests.e2e.conftest import CHEAP_HASHES
from tests.e2e.people import PASSWORD, Person, client_of, register

LOGIN, REFRESH = "POST /api/v1/auth/login", "POST /api/v1/auth/refresh"
SERVER, CLIENT, INTERNAL = 2, 3, 1
STORE = {"load heads", "append events", "find holder", "read stream", "find outcome"}


@pytest.fixture(scope="module")
async def traced() -> AsyncIterator[tuple[Running, Collector]]:
    with tempfile.TemporaryDirectory(prefix="minos-e2e-", ignore_cleanup_errors=True) as folder, collecting() as collector:
        running = Running(Path(folder), **CHEAP_HASHES)
        collector.told_to(running)
        async with running:
            yield running, collector


@pytest.fixture
def collector(traced: tuple[Running, Collector]) -> Collector:
    return traced[1]


@pytest.fixture
async def traced_http(traced: tuple[Running, Collector]) -> AsyncIterator[httpx.AsyncClient]:
    """Every request under a trace of its own; `arrived` finds it."""

    async def begin_trace(request: httpx.Request) -> None:
        request.headers.setdefault("traceparent", traceparent())

    async with client_of(traced[0]) as http:
        http.event_hooks["request"].append(begin_trace)
        yield http


def traceparent() -> str:
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


async def arrived(collector: Collector, request: httpx.Request) -> Span:
    """Give the span of a request. Whatever is below it ended before and is there too. Raises TimeoutError."""
    _, trace_id, parent_id, _ = request.headers["traceparent"].split("-")
    async with asyncio.timeout(10):
        while True:
            for span in collector.spans:
                if span.trace_id == trace_id and span.kind == SERVER:
                    assert span.parent_id == parent_id
                    return span
            await asyncio.sleep(0.02)


async def sign_in(http: httpx.AsyncClient, person: Person, **more: str) -> httpx.Response:
    return await http.post("/api/v1/auth/login", json={"email": person.email, "password": PASSWORD, **more})


async def test_what_a_sign_in_waits_for_is_below_its_span(traced_http: httpx.AsyncClient, collector: Collector) -> None:
    ada = await register(traced_http)
    span = await arrived(collector, (await sign_in(traced_http, ada)).request)
    below = collector.children(span)
    assert (span.name, span.attributes["http.response.status_code"], span.failed) == (LOGIN, 200, False)
    names = [each.name for each in below]
    assert names[0] == "find holder"
    assert names.index("wait for hasher") + 1 == names.index("hash password") < names.index("append events")
    assert set(names) <= STORE | {"wait for hasher", "hash password"}
    assert {each.trace_id for each in below} == {span.trace_id}
    assert all(span.began <= each.began <= each.ended <= span.ended for each in below)
    hashed = next(each for each in below if each.name == "hash password")
    assert hashed.ended - hashed.began > 1_000_000, "a hash takes more than a millisecond"


async def test_a_span_of_the_store_says_how_many_and_how_it_went(traced_http: httpx.AsyncClient, collector: Collector) -> None:
    ada = await register(traced_http)
    span = await arrived(collector, (await sign_in(traced_http, ada)).request)
    append = next(each for each in collector.children(span) if each.name == "append events")
    assert append.attributes == {
        "db.system.name": "postgresql",
        "db.operation.name": "append",
        "minos.streams": 3,
        "minos.events": 2,
        "minos.append.result": "done",
    }
    assert append.kind == CLIENT


async def test_the_express_lane_is_traced_alike(traced_http: httpx.AsyncClient, collector: Collector) -> None:
    ada = await register(traced_http)
    span = await arrived(collector, (await ada.refresh()).request)
    assert span.name == REFRESH
    assert [each.name for each in collector.children(span)] == ["load heads", "append events"]


async def test_requests_that_share_a_batch_do_not_share_spans(traced_http: httpx.AsyncClient, collector: Collector) -> None:
    people = [await register(traced_http) for _ in range(8)]
    answers = await asyncio.gather(*(sign_in(traced_http, person) for person in people))
    spans = [await arrived(collector, answer.request) for answer in answers]
    assert any(one.began < other.began < one.ended for one in spans for other in spans), "none was answered beside another"
    for span in spans:
        below = collector.children(span)
        assert [each.name for each in below] == [each.name for each in collector.children(spans[0])]
        assert {each.trace_id for each in below} == {span.trace_id}
    known = {span.span_id for span in collector.spans}
    assert all(span.kind == SERVER or span.parent_id in known for span in collector.spans), "a step belongs to no request"


async def test_a_refusal_is_no_error_of_any_span(traced_http: httpx.AsyncClient, collector: Collector) -> None:
    ada = await register(traced_http)
    wrong = await traced_http.post("/api/v1/auth/login", json={"email": ada.email, "password": "not this one at all"})
    span = await arrived(collector, wrong.request)
    assert span.attributes["http.response.status_code"] == 401
    assert not any(each.failed for each in (span, *collector.children(span)))


async def test_no_span_holds_anything_of_anybody(traced_http: httpx.AsyncClient, collector: Collector) -> None:
    ada = await register(traced_http, name="Ada Augusta King")
    ada = await ada.sign_in(device_name="The Difference Engine")
    assert (await ada.refresh()).status_code == 200
    last = await ada.ask("PATCH", "/me", {"name": "Augusta Ada Byron"})
    await arrived(collector, last.request)
    held = [
        ada.email, ada.email.partition("@")[0], PASSWORD, "Augusta", "Byron", "Difference", "127.0.0.1", "httpx",
        ada.tokens["access_token"], ada.tokens["refresh_token"], ada.user_id, ada.session_id,
    ]  # fmt: skip
    for secret in held:
        assert secret.lower().encode() not in collector.received.lower()
