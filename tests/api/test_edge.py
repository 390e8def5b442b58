import asyncio
import json
import re
from collections.abc import Iterator
from io import StringIO
from typing import Any

import httpx
import pytest
import structlog

from adapters import logging
from api.addresses import Addresses
from api.edge import Edge
from api.openapi import described
from api.routes import ROUTES
from tests.api.conftest import PASSWORD, Served
from tests.limits.given import unlimited

LOGIN = "/api/v1/auth/login"
REFUSED_METHOD = {(405, "method_not_allowed"), (405, "invalid_request")}


async def refused(http: httpx.AsyncClient, method: str, path: str, **more: Any) -> tuple[int, str]:
    answer = await http.request(method, path, **more)
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    told = answer.json()
    assert told["status"] == answer.status_code
    return answer.status_code, told["code"]


async def raw(edge: Edge, *, path: str = "/health/live", headers: list[tuple[bytes, bytes]], method: str = "GET", body: bytes = b"") -> int:
    """Send what no well-behaved client would."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http", "path": path,
        "raw_path": path.encode("utf-8", "replace"), "query_string": b"", "root_path": "", "headers": headers,
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000),
    }  # fmt: skip
    await edge(scope, receive, send)
    return int(sent[0]["status"])


async def test_a_host_not_on_the_list_is_not_answered(served: Served) -> None:
    assert await refused(served.http, "GET", "/health/live", headers={"Host": "evil.example"}) == (421, "host_not_allowed")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:9999", "a.minos.example", "A.B.Minos.Example:1"])
async def test_hosts_on_the_list_are_answered_on_any_port(served: Served, host: str) -> None:
    assert (await served.http.get("/health/live", headers={"Host": host})).status_code == 200


async def test_a_request_without_a_host_is_not_answered(served: Served) -> None:
    assert await raw(served.edge, headers=[]) == 421


@pytest.mark.parametrize("name", [b"host", b"content-length", b"x-request-id", b"minos-wait-for"])
async def test_a_field_that_may_come_once_is_refused_twice(served: Served, name: bytes) -> None:
    assert await raw(served.edge, headers=[(b"host", b"127.0.0.1"), (name, b"1"), (name, b"1")]) == 400


@pytest.mark.parametrize(
    "headers",
    [
        [("Authorization", "Bearer a"), ("Authorization", "Bearer b")],
        [("Authorization", "Bearer a"), ("X-API-Key", "b")],
        [("X-API-Key", "a"), ("X-API-Key", "b")],
    ],
)
async def test_two_credentials_in_one_request_are_refused(served: Served, headers: list[tuple[str, str]]) -> None:
    assert await refused(served.http, "GET", "/api/v1/me", headers=headers) == (400, "ambiguous_credentials")


async def test_characters_outside_ascii_in_a_header_are_refused(served: Served) -> None:
    assert await raw(served.edge, headers=[(b"host", b"127.0.0.1"), (b"user-agent", "é".encode())]) == 400


async def test_headers_beyond_the_limit_are_refused(served: Served) -> None:
    headers = [(b"host", b"127.0.0.1"), (b"x-a", b"a" * 40_000)]
    assert await raw(served.edge, headers=headers) == 431


async def test_an_address_beyond_the_limit_is_refused(served: Served) -> None:
    assert await raw(served.edge, path="/" + "a" * 40_000, headers=[(b"host", b"127.0.0.1")]) == 414


@pytest.mark.parametrize("path", ["/\x00", "/api/v1/me/\ufffd", "/nope", "/api/v1/users/not-a-uuid", "/api/v1/users/%2e%2e"])
async def test_what_is_not_there_is_a_problem(served: Served, path: str) -> None:
    assert await raw(served.edge, path=path, headers=[(b"host", b"127.0.0.1")]) == 404


async def test_another_method_is_told_which_there_are(served: Served) -> None:
    answer = await served.http.put(LOGIN, json={})
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert "POST" in answer.headers["allow"]


async def test_every_path_refuses_whatever_method_it_has_not(served: Served) -> None:
    """But for the question of a proxy, which asks with the method of the request it asks about."""
    paths = described(tuple(ROUTES))["paths"]
    del paths["/api/v1/auth/check"]
    for path, operations in paths.items():
        there_are = {method.upper() for method in operations}
        made_up = re.sub(r"{[^}]+}", "0190a1b2-0000-7000-8000-000000000000", path)
        for method in {"GET", "PUT", "POST", "DELETE", "PATCH", "TRACE", "QUERY"} - there_are:
            answer = await served.http.request(method, made_up)
            told = answer.json()  # an OAuth endpoint's refusals are its RFCs'
            assert (answer.status_code, told.get("code", told.get("error"))) in REFUSED_METHOD, (method, path)
            assert there_are <= set(answer.headers["allow"].split(", ")), (method, path)
            assert method not in answer.headers["allow"], (method, path)


async def test_options_tells_every_method(served: Served) -> None:
    answer = await served.http.options("/api/v1/me")
    assert (answer.status_code, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS, PATCH")


async def test_head_answers_as_get_without_a_body(served: Served) -> None:
    answer = await served.http.head("/.well-known/jwks.json")
    assert (answer.status_code, answer.content) == (200, b"")
    assert "etag" in answer.headers


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (b"{", "application/json", (400, "malformed_body")),
        (b"\xff{}", "application/json", (400, "malformed_body")),
        (b'{"email":"\\ud800"}', "application/json", (400, "malformed_body")),
        (b"[" * 33 + b"]" * 33, "application/json", (400, "body_too_deep")),
        (b'{"a":' * 5_000, "application/json", (400, "body_too_deep")),
        (b"{}", "text/plain", (415, "unsupported_media_type")),
        (b"{}", "application/json; charset=utf-16", (415, "unsupported_media_type")),
        (b"email=a", "application/x-www-form-urlencoded", (415, "unsupported_media_type")),
        (b" " * 70_000, "application/json", (413, "body_too_large")),
        (b"[]", "application/json", (422, "validation_failed")),
        (b"null", "application/json", (422, "validation_failed")),
        (b'"' + b"[" * 40 + b'"', "application/json", (422, "validation_failed")),
        (b"", "application/json", (422, "validation_failed")),
    ],
)
async def test_a_body_that_is_not_right_is_a_problem(served: Served, body: bytes, kind: str, expected: tuple[int, str]) -> None:
    assert await refused(served.http, "POST", LOGIN, content=body, headers={"Content-Type": kind}) == expected


async def test_a_compressed_body_is_refused(served: Served) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert await refused(served.http, "POST", LOGIN, content=b"\x1f\x8b", headers=headers) == (415, "unsupported_media_type")


async def test_a_body_sent_in_pieces_counts_as_one(served: Served) -> None:
    async def pieces() -> Any:
        for _ in range(100):
            yield b" " * 1_000

    assert await refused(served.http, "POST", LOGIN, content=pieces(), headers={"Content-Type": "application/json"}) == (
        413,
        "body_too_large",
    )


async def test_an_unknown_query_parameter_is_refused(served: Served) -> None:
    assert await refused(served.http, "GET", "/health/live?nope=1") == (422, "validation_failed")


async def test_a_repeated_query_parameter_is_refused(served: Served, admin: Any) -> None:
    answer = await admin.ask("GET", "/users?limit=1&limit=2")
    assert answer.status_code == 422


@pytest.mark.parametrize("given", ["abc-123", "x" * 64])
async def test_a_sound_request_id_is_kept(served: Served, given: str) -> None:
    answer = await served.http.get("/health/live", headers={"X-Request-Id": given})
    assert answer.headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\tb", '{"a":1}'])
async def test_an_unsound_request_id_is_replaced(served: Served, given: str) -> None:
    answer = await served.http.get("/health/live", headers={"X-Request-Id": given})
    assert answer.headers["x-request-id"] != given
    assert len(answer.headers["x-request-id"]) == 32


@pytest.mark.parametrize("path", ["/health/live", "/nope", "/api/v1/me", "/.well-known/jwks.json", "/docs", "/"])
async def test_every_answer_has_the_security_fields(served: Served, path: str) -> None:
    headers = (await served.http.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "x-request-id" in headers


@pytest.mark.parametrize("path", ["/api/v1/me", "/nope", LOGIN])
async def test_nothing_personal_may_be_stored_on_the_way(served: Served, path: str) -> None:
    assert (await served.http.get(path)).headers["cache-control"] == "no-store"


async def test_only_https_asks_for_https(served: Served) -> None:
    assert "strict-transport-security" not in (await served.http.get("/health/live")).headers


async def test_a_websocket_is_closed(served: Served) -> None:
    sent: list[Any] = []

    async def nothing() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await served.edge({"type": "websocket", "path": "/", "headers": []}, nothing, send)
    assert sent[0]["type"] == "websocket.close"


@pytest.fixture
def lines() -> Iterator[StringIO]:
    stream = StringIO()
    logging.configure(level="info", style="json", stream=stream)
    yield stream
    structlog.reset_defaults()


async def test_a_log_line_holds_the_route_and_none_of_the_secrets(served: Served, lines: StringIO) -> None:
    edge = Edge(served.edge.app, hosts=["127.0.0.1"], proxies=(), https=True, methods={}, addresses=Addresses([]), leaving=asyncio.Event())
    edge.let_everyone_in({}, unlimited())
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"X-Request-Id": "mine-1", "traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    transport = httpx.ASGITransport(app=edge)  # type: ignore[arg-type]  # the same protocol, typed less openly
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        answer = await http.post(f"{LOGIN}?secret=1", json={"email": "nobody@example.org", "password": PASSWORD}, headers=headers)
    assert "strict-transport-security" in answer.headers
    async with asyncio.timeout(5):
        while not lines.getvalue():  # lines are gathered for a moment while a loop runs
            await asyncio.sleep(0.01)
    line = json.loads(lines.getvalue())
    assert (line["route"], line["method"], line["status"], line["trace_id"]) == (LOGIN, "POST", 422, trace)
    assert not {PASSWORD, "secret", "example.org"} & set(lines.getvalue().split('"'))


async def test_who_comes_while_it_starts_is_answered_when_it_is_open(served: Served) -> None:
    edge = Edge(served.edge.app, hosts=["127.0.0.1"], proxies=(), https=True, methods={}, addresses=Addresses([]), leaving=asyncio.Event())
    transport = httpx.ASGITransport(app=edge)  # type: ignore[arg-type]  # the same protocol, typed less openly
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        waiting = asyncio.create_task(http.get("/api/v1/me"))
        assert (await http.get("/health/live")).status_code == 200
        assert not waiting.done()
        edge.let_everyone_in({}, unlimited())
        assert (await waiting).status_code == 401
