"""What a collector is told of a request: what it waited for, below its own span, and nothing about anybody."""

import asyncio

import httpx

from tests.e2e.collector import CLIENT, CONSUMER, SERVER, Collector, seen
from tests.e2e.people import PASSWORD, Person, register

LOGIN, REFRESH = "POST /api/v1/auth/login", "POST /api/v1/auth/refresh"
STORE = {"load heads", "append events", "find holder", "read stream", "find outcome"}


async def sign_in(http: httpx.AsyncClient, person: Person, **more: str) -> httpx.Response:
    return await http.post("/api/v1/auth/login", json={"email": person.email, "password": PASSWORD, **more})


async def test_what_a_sign_in_waits_for_is_below_its_span(traced_http: httpx.AsyncClient, collector: Collector) -> None:
    ada = await register(traced_http)
    span = await collector.arrived((await sign_in(traced_http, ada)).request)
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
    span = await collector.arrived((await sign_in(traced_http, ada)).request)
    append = next(each for each in collector.children(span) if each.name == "append events")
    assert append.attributes == {
        "db.system.name": "postgresql",
        "db.operation.name": "append",
        "minos.streams": 3,
        "minos.events": 2,
        "minos.append.result": "done",
        "minos.correlation_id": append.attributes["minos.correlation_id"],
    }
    assert append.kind == CLIENT


async def test_the_express_lane_is_traced_alike(traced_http: httpx.AsyncClient, collector: Collector) -> None:
    ada = await register(traced_http)
    span = await collector.arrived((await ada.refresh()).request)
    assert span.name == REFRESH
    assert [each.name for each in collector.children(span)] == ["load heads", "append events"]


async def test_requests_that_share_a_batch_do_not_share_spans(traced_http: httpx.AsyncClient, collector: Collector) -> None:
    people = [await register(traced_http) for _ in range(4)]
    answers = await asyncio.gather(*(sign_in(traced_http, person) for person in people))
    assert [answer.status_code for answer in answers] == [200] * len(people)
    spans = [await collector.arrived(answer.request) for answer in answers]
    assert any(one.began < other.began < one.ended for one in spans for other in spans), "none was answered beside another"
    for span in spans:
        below = collector.children(span)
        assert [each.name for each in below] == [each.name for each in collector.children(spans[0])]
        assert {each.trace_id for each in below} == {span.trace_id}

    def whole() -> bool | None:
        known = {span.span_id for span in collector.spans}
        return all(span.kind in {SERVER, CONSUMER} or span.parent_id in known for span in collector.spans) or None

    assert await seen(whole), "every step belongs to a request"


async def test_a_refusal_is_no_error_of_any_span(traced_http: httpx.AsyncClient, collector: Collector) -> None:
    ada = await register(traced_http)
    wrong = await traced_http.post("/api/v1/auth/login", json={"email": ada.email, "password": "not this one at all"})
    span = await collector.arrived(wrong.request)
    assert span.attributes["http.response.status_code"] == 401
    assert not any(each.failed for each in (span, *collector.children(span)))


async def test_no_span_holds_anything_of_anybody(traced_http: httpx.AsyncClient, collector: Collector) -> None:
    ada = await register(traced_http, name="Ada Augusta King")
    ada = await ada.sign_in(device_name="The Difference Engine")
    assert (await ada.refresh()).status_code == 200
    last = await ada.ask("PATCH", "/me", {"name": "Augusta Ada Byron"})
    await collector.arrived(last.request)
    held = [
        ada.email, ada.email.partition("@")[0], PASSWORD, "Augusta", "Byron", "Difference", "127.0.0.1", "httpx",
        ada.tokens["access_token"], ada.tokens["refresh_token"], ada.user_id, ada.session_id,
    ]  # fmt: skip
    for secret in held:
        assert secret.lower().encode() not in collector.received.lower()
