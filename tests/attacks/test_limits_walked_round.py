"""Ways to ask more often than one may: to look like somebody else, to ask for the same under another name, to be too many."""

from collections.abc import AsyncIterator, Callable
from itertools import count
from pathlib import Path

import pytest

from api.asgi import Message
from api.edge import Edge
from tests.api.conftest import Served
from tests.attacks.limited import ADDRESS, LOGIN, ME, NAME, NETWORK, SESSION, Caller, limited
from tests.conftest import Database

_hosts = count(1)
WRONG = 401
TOO_MANY = 429


@pytest.fixture(scope="module")
async def edge(served: Served, api_database: Database, api_folder: Path) -> AsyncIterator[Edge]:
    async with limited(api_database, api_folder) as edge:
        yield edge


def names() -> Callable[[], str]:
    """Another login name each time, so that only where they come from counts."""
    number = count(1)
    return lambda: f"somebody-{next(number)}@example.org"


def elsewhere() -> str:
    """An address in a network nobody has been at."""
    return f"198.18.{next(_hosts)}.7"


INVENTED = {
    "X-Forwarded-For": "203.0.113.{n}",
    "Forwarded": "for=203.0.113.{n};proto=https;by=203.0.113.60",
    "X-Real-IP": "203.0.113.{n}",
    "X-Client-IP": "203.0.113.{n}",
    "True-Client-IP": "203.0.113.{n}",
    "CF-Connecting-IP": "203.0.113.{n}",
    "X-Original-Forwarded-For": "203.0.113.{n}",
    "X-Cluster-Client-IP": "203.0.113.{n}",
    "User-Agent": "browser/{n}",
    "X-Request-Id": "request-{n}",
    "X-Admin-API-Key": "key-{n}",
    "Cookie": "session={n}",
    "traceparent": "00-{n:032x}-00f067aa0ba902b7-01",
    "Host": "host-{n}.minos.example",
    "Via": "1.1 proxy-{n}",
    "Idempotency-Key": "key-that-is-long-enough-{n}",
}


@pytest.mark.parametrize("field", INVENTED)
async def test_a_made_up_header_makes_nobody_of_somebody(edge: Edge, field: str) -> None:
    caller, name = Caller(edge, elsewhere()), names()
    statuses = [await caller.sign_in(name(), headers={field: INVENTED[field].format(n=n)}) for n in range(ADDRESS + 2)]
    assert statuses == [WRONG] * ADDRESS + [TOO_MANY] * 2


@pytest.mark.parametrize("field", ["X-Forwarded-For", "Forwarded"])
async def test_a_chain_made_up_before_our_proxy_counts_under_who_spoke_to_it(edge: Edge, field: str) -> None:
    proxy, name, mallory = Caller(edge, "10.0.0.9"), names(), elsewhere()
    said = "203.0.113.{n}, {m}" if field == "X-Forwarded-For" else "for=203.0.113.{n}, for={m}"
    statuses = [await proxy.sign_in(name(), headers={field: said.format(n=n, m=mallory)}) for n in range(ADDRESS + 1)]
    assert statuses == [WRONG] * ADDRESS + [TOO_MANY]
    honest = said.format(n=1, m=elsewhere())
    assert await proxy.sign_in(name(), headers={field: honest}) == WRONG


async def test_hopping_within_a_64_is_staying(edge: Edge) -> None:
    name = names()
    statuses = [await Caller(edge, f"2001:db8:1:1:{n:x}::{n:x}").sign_in(name()) for n in range(1, ADDRESS + 3)]
    assert statuses == [WRONG] * ADDRESS + [TOO_MANY] * 2


async def test_hopping_within_a_48_has_the_limit_of_a_network(edge: Edge) -> None:
    name = names()
    statuses = [await Caller(edge, f"2001:db8:2:{n:x}::1").sign_in(name()) for n in range(1, NETWORK + 3)]
    assert statuses == [WRONG] * NETWORK + [TOO_MANY] * 2


async def test_hopping_within_a_24_has_the_limit_of_a_network(edge: Edge) -> None:
    name, net = names(), elsewhere().rpartition(".")[0]
    statuses = [await Caller(edge, f"{net}.{n}").sign_in(name()) for n in range(1, NETWORK + 3)]
    assert statuses == [WRONG] * NETWORK + [TOO_MANY] * 2


async def test_an_ipv4_address_written_as_ipv6_is_the_same_one(edge: Edge) -> None:
    name, address = names(), elsewhere()
    a, b, c, d = address.split(".")
    spellings = [address, f"::ffff:{address}", f"::ffff:{int(a):02x}{int(b):02x}:{int(c):02x}{int(d):02x}", f"0:0:0:0:0:ffff:{address}"]
    statuses = [await Caller(edge, spelling).sign_in(name()) for spelling in spellings * 2]
    assert statuses.count(WRONG) == ADDRESS


@pytest.mark.parametrize(
    "spelling", ["//api/v1/auth/login", "/api//v1/auth/login", "/api/v1/auth/login/", "/api/v1/auth/%6cogin", "/API/v1/auth/login"]
)
async def test_another_spelling_of_an_address_is_no_way_in_and_counts(edge: Edge, spelling: str) -> None:
    caller, name = Caller(edge, elsewhere()), names()
    statuses = [await caller.sign_in(name(), path=spelling) for _ in range(ADDRESS + 2)]
    assert statuses == [404] * ADDRESS + [TOO_MANY] * 2
    assert await caller.sign_in(name()) == WRONG


async def test_parameters_that_leave_the_express_lane_leave_no_limit(edge: Edge) -> None:
    caller, name = Caller(edge, elsewhere()), names()
    paths = [LOGIN if n % 2 else f"{LOGIN}?n={n}" for n in range(ADDRESS + 2)]
    statuses = [await caller.sign_in(name(), path=path) for path in paths]
    assert statuses[ADDRESS:] == [TOO_MANY] * 2
    assert TOO_MANY not in statuses[:ADDRESS]


async def test_head_counts_as_get(edge: Edge) -> None:
    caller = Caller(edge, elsewhere())
    statuses = [(await caller.ask("HEAD" if n % 2 else "GET", ME)).status_code for n in range(ADDRESS + 2)]
    assert statuses == [401] * ADDRESS + [TOO_MANY] * 2


async def test_methods_that_nothing_answers_to_count_together(edge: Edge) -> None:
    caller = Caller(edge, elsewhere())
    statuses = [(await caller.ask(method, LOGIN)).status_code for method in ("GET", "PUT", "DELETE", "TRACE", "BREW", "OPTIONS", "HEAD")]
    assert statuses[ADDRESS:] == [TOO_MANY] * 2
    assert TOO_MANY not in statuses[:ADDRESS]


async def test_addresses_where_there_is_nothing_count_together(edge: Edge) -> None:
    caller = Caller(edge, elsewhere())
    statuses = [(await caller.ask("GET", f"/wp-{n}.php")).status_code for n in range(ADDRESS + 2)]
    assert statuses == [404] * ADDRESS + [TOO_MANY] * 2


@pytest.mark.parametrize(
    "body", [{"client_id": "orders-{n}"}, {"email": "x-{n}@example.org", "password": "p", "client_id": "somebody-else"}]
)
async def test_somebody_elses_name_in_the_body_is_nobodys(edge: Edge, body: dict[str, str]) -> None:
    caller = Caller(edge, elsewhere())
    asked = [{key: value.format(n=n) for key, value in body.items()} for n in range(ADDRESS + 2)]
    statuses = [(await caller.ask("POST", LOGIN, json=each)).status_code for each in asked]
    assert statuses == [422] * ADDRESS + [TOO_MANY] * 2


@pytest.mark.parametrize("spellings", [["ada.b@example.org", "ADA.B@EXAMPLE.ORG", "Ada.B@Example.Org", "ａda.b@example.org"]])
async def test_a_name_spelled_otherwise_is_the_same_name(edge: Edge, spellings: list[str]) -> None:
    caller = Caller(edge, elsewhere())
    statuses = [await caller.sign_in(spelling) for spelling in spellings]
    assert statuses == [WRONG] * NAME + [TOO_MANY]


async def test_who_is_refused_is_not_read(edge: Edge) -> None:
    """The body of a refused request is never asked for: it would be up to 64 KiB, and as slow as its sender likes."""
    address = elsewhere()
    caller, name = Caller(edge, address), names()
    for _ in range(ADDRESS):
        await caller.sign_in(name())
    sent: list[Message] = []

    async def receive() -> Message:
        raise AssertionError("the body was asked for")

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json"), (b"content-length", b"60000")]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http", "path": LOGIN,
        "raw_path": LOGIN.encode(), "query_string": b"", "root_path": "", "headers": headers, "client": (address, 1),
        "server": ("127.0.0.1", 8000),
    }  # fmt: skip
    await edge(scope, receive, send)
    assert sent[0]["status"] == TOO_MANY


async def test_who_is_refused_is_told_how_long_to_wait_and_by_what(edge: Edge) -> None:
    caller, name = Caller(edge, elsewhere()), names()
    first = await caller.ask("POST", LOGIN, json={"email": name(), "password": "p"})
    assert first.headers["ratelimit"] == f'"sign_in-address-3600";r={ADDRESS - 1};t={3600 // ADDRESS}'
    assert first.headers["ratelimit-policy"] == f'"sign_in-address-3600";q={ADDRESS};w=3600'
    for _ in range(ADDRESS - 1):
        await caller.sign_in(name())
    last = await caller.ask("POST", LOGIN, json={"email": name(), "password": "p"})
    assert (last.status_code, last.json()["code"]) == (TOO_MANY, "rate_limited")
    wait = int(last.headers["retry-after"])
    assert 0 < wait <= 3600 // ADDRESS
    assert last.headers["ratelimit"] == f'"sign_in-address-3600";r=0;t={wait}'


async def test_nobody_is_told_what_their_neighbours_do(edge: Edge) -> None:
    net = elsewhere().rpartition(".")[0]
    name, first, second = names(), Caller(edge, f"{net}.1"), Caller(edge, f"{net}.2")
    for _ in range(ADDRESS):
        await first.sign_in(name())
    answer = await second.ask("POST", LOGIN, json={"email": name(), "password": "p"})
    assert answer.headers["ratelimit"] == f'"sign_in-address-3600";r={ADDRESS - 1};t={3600 // ADDRESS}'
    assert "network" not in str(answer.headers)


async def test_what_a_cache_may_give_to_others_says_nothing_of_limits(edge: Edge) -> None:
    answer = await Caller(edge, elsewhere()).ask("GET", "/.well-known/jwks.json")
    assert (answer.status_code, "ratelimit" in answer.headers) == (200, False)


async def test_checks_of_tokens_that_are_none_are_limited_by_where_they_come_from(
    served: Served, api_database: Database, api_folder: Path
) -> None:
    async with limited(api_database, api_folder, '[checks]\naddress = ["7/1h"]\n') as edge:
        caller = Caller(edge, elsewhere())
        statuses = [(await caller.ask("GET", SESSION, token=f"made-up-{n}")).status_code for n in range(9)]
    assert statuses == [401] * 7 + [TOO_MANY] * 2
