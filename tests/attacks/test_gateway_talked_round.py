"""Somebody tries to get past a gateway, as we ship its configuration, or to have Minos asked for less than is meant."""

import json

import pytest

from tests.api.conftest import Person, Served
from tests.api.test_check import at_orders, clerk
from tests.api.test_introspection import token_of
from tests.api.test_oauth import robot
from tests.attacks.conftest import GATEWAYS
from tests.attacks.test_identity_brought_along import bearer
from tests.behind_gateways import Gateway

ELSEWHERE = "/orders/admin/..%2f..%2fopen/1"
ASKED = "/api/v1/auth/check?audience=orders"
ODD = {"nginx": 200, "envoy": 400}
"""An encoded slash: one understands it and passes on what it understood, the other refuses it."""


async def test_whoever_may_gets_through_and_the_others_are_told_why_not(served: Served, admin: Person, gateway: Gateway) -> None:
    person = await clerk(served, admin, "overseer", ("orders.admin",))
    for who, path, status, challenge in (
        (await at_orders(served), "/orders/1?x=1", 200, ""),
        (await at_orders(served), "/orders/admin/1", 403, 'error="insufficient_scope"'),
        (person, "/orders/admin/1", 200, ""),
        (admin, "/orders/1", 401, 'error="invalid_token"'),
    ):
        reply = await gateway.ask(path, bearer(who.access))
        assert reply.status == status, reply
        assert challenge in reply.headers.get("www-authenticate", "")
    nobody = await gateway.ask("/orders/1")
    assert (nobody.status, nobody.headers["www-authenticate"]) == (401, 'Bearer realm="minos"')
    assert (await gateway.ask("/open/1")).status == 200
    robots = await gateway.ask("/orders/1", bearer(await token_of(served, await robot(admin, "orders.read"))))
    assert robots.named("minos-")["minos-principal"] == "service"


async def test_a_clients_query_is_never_in_what_minos_is_asked(served: Served, gateway: Gateway) -> None:
    person, before = await at_orders(served), len(gateway.asked)
    query = "audience=reports&audience=minos&role=user&permission=x.y"
    reply = await gateway.ask(f"/orders/1?{query}", bearer(person.access), ("X-Original-URI", f"/?{query}"))
    assert (reply.status, reply.got["query"]) == (200, query)
    refused = await gateway.ask("/orders/admin/1?audience=orders&permission=orders.read", bearer(person.access))
    assert refused.status == 403
    assert [question.partition(" ")[2] for question in gateway.asked[before:]] == [ASKED, f"{ASKED}&permission=orders.admin"]


@pytest.mark.parametrize(
    "path",
    [ELSEWHERE, "/open/..%2forders/1", "/open/../orders/1", "/open/%2e%2e/orders/1", "/open/x/..//../orders/1", "//orders/1", "/orders%2f1",
     "/orders/admin/%2e%2e/../open/../orders/admin/1", "/orders", "/ORDERS/1", "/_minos/orders", "/%5fminos/orders"],
)  # fmt: skip
async def test_another_spelling_of_an_address_leads_past_nobody(gateway: Gateway, path: str) -> None:
    """What the gateway takes for one address and the service for another would be asked for under the rules of the wrong one."""
    before = len(gateway.reached)
    reply = await gateway.ask(path)
    assert all(address.startswith("/open/") and "%2f" not in address.lower() for address in gateway.reached[before:])
    assert reply.status == (ODD[gateway.name] if path == ELSEWHERE else reply.status)
    assert reply.status in {200, 301, 400, 401, 404}


async def test_what_may_be_read_by_many_does_not_lead_to_what_is_for_few(served: Served, gateway: Gateway) -> None:
    person, before = await at_orders(served), len(gateway.reached)
    for path in ("/orders/x/..%2fadmin/1", "/orders/x/../admin/1", "/orders//admin/1", "/orders/%61dmin/1", "/orders/admin%2f1"):
        assert (await gateway.ask(path, bearer(person.access))).status in ({403} if "%2f" not in path else {403, ODD[gateway.name]} - {200})
    assert gateway.reached[before:] == []
    assert (await gateway.ask("/open/..%2forders/%31", bearer(person.access))).status == ODD[gateway.name]
    assert gateway.reached[before:] == (["/orders/1"] if gateway.name == "nginx" else [])


@pytest.mark.parametrize("path", ["/orders/admin", "/orders/admin?x=1", "/orders/./admin", "/orders/x/../admin", "/orders/admin//"])
async def test_a_slash_left_out_leads_to_nothing_that_is_for_few(served: Served, gateway: Gateway, path: str) -> None:
    """Many services read `/orders/admin` as `/orders/admin/`."""
    person, before = await at_orders(served), len(gateway.reached)
    assert (await gateway.ask(path, bearer(person.access))).status in {301, 403}
    assert gateway.reached[before:] == []


READ_IN_MORE_WAYS = (
    "/orders/admin%20/1", "/orders/admin%09/1", "/orders/%20admin/1", "/orders/admin%00/1", "/orders/admin%0d%0aX:1/1",
    "/orders/admin%c2%a0/1", "/orders/%ef%bd%81dmin/1", "/orders/admin%e3%80%82/1", "/orders/admin;x/1", "/orders/;/admin/1",
    "/orders/x/..;/admin/1", "/orders/.;/admin/1", "/orders/%2e%2e;/orders/admin/1", "/open/..;/orders/admin/1", "/open/1/..%3b/1",
    "/orders/admin./1", "/orders/admin%2e/1", "/orders/admin.json", "/orders/ADMIN/1", "/orders/%41dmin/1", "/orders/%2561dmin/1",
    "/orders/x/%252e%252e/admin/1", "/orders/x/..%255c../admin/1", "/orders/x%5c..%5cadmin/1", "/orders/x\\..\\admin/1",
    "/orders/%u0061dmin/1", "/orders/admin%/1", "/orders/admin%6", "/orders/admin%",
)  # fmt: skip


async def test_what_a_service_may_read_as_for_few_is_for_few_or_refused(served: Served, gateway: Gateway) -> None:
    """Some take blanks off, cut at `;`, forget a dot, or read any case and any letter that looks alike: the gateway knows none of that."""
    person, before = await at_orders(served), len(gateway.reached)
    for path in READ_IN_MORE_WAYS:
        assert (await gateway.ask(path, bearer(person.access))).status in {400, 403, 404}, path
    assert gateway.reached[before:] == []
    for path in ("/orders/caf%21/a-b_c~1,2", "/orders/a.b?x=%20;y=ADMIN.", "/open/a@b:c"):
        assert (await gateway.ask(path, bearer(person.access))).status == 200, path


ADDRESSES = (
    "X-Original-URL", "X-Rewrite-URL", "X-Original-URI", "X-Forwarded-Uri", "X-Forwarded-Path", "X-Forwarded-Prefix", "X-Forwarded-Host",
    "Forwarded",
)  # fmt: skip


@pytest.mark.parametrize("path", ["/orders/1", "/open/1"])
async def test_no_address_in_a_header_reaches_a_service(served: Served, gateway: Gateway, path: str) -> None:
    """Some frameworks go by these and not by the first line: what is open to everybody would be what is for few."""
    person = await at_orders(served)
    reply = await gateway.ask(path, bearer(person.access), *((name, "/orders/admin/1") for name in ADDRESSES))
    assert reply.status == 200
    assert "/orders/admin" not in str(reply.got["headers"])


async def test_nobody_gets_their_own_identity_token_out_of_the_gateway(served: Served, gateway: Gateway) -> None:
    """With it they would be past the gateway at every service that can be reached around it."""
    person, before = await at_orders(served), len(gateway.asked)
    for path in ("/_minos/orders", "/_minos/orders?audience=orders", "/open/..%2f_minos/orders", "/%5fminos/orders-admin"):
        reply = await gateway.ask(path, bearer(person.access))
        assert (reply.status in {400, 404}, "minos-identity" in reply.headers) == (True, False)
    assert gateway.asked[before:] == []
    for path in ("/orders/1", "/orders/admin/1"):
        reply = await gateway.ask(path, bearer(person.access))
        assert not any(name.startswith("minos-") for name in reply.headers)


async def test_a_service_that_repeats_what_it_hears_sends_nobody_behind_the_gateway(served: Served, gateway: Gateway) -> None:
    """nginx goes itself where the answer of a service says in `X-Accel-Redirect`, into what is internal as well."""
    person, before = await at_orders(served), len(gateway.asked)
    for path in ("/open/1", "/orders/1"):
        reply = await gateway.ask(path, bearer(person.access), ("Repeat-X-Accel-Redirect", "/_minos/orders"))
        assert not any(name.startswith("minos-") for name in reply.headers)
        assert reply.got["path"] == path
    assert gateway.asked[before:] == [f"GET {ASKED}"]


async def test_a_body_goes_to_the_service_alone(served: Served, gateway: Gateway) -> None:
    person, before = await at_orders(served), len(gateway.asked)
    body = json.dumps({"permission": "orders.admin"}).encode()
    reply = await gateway.ask("/orders/1", bearer(person.access), ("Content-Type", "application/json"), method="PUT", body=body)
    assert (reply.status, reply.got["method"], reply.got["body"]) == (200, "PUT", body.decode())
    assert gateway.asked[before:] == [f"{ {'nginx': 'GET', 'envoy': 'PUT'}[gateway.name] } {ASKED}"]


async def test_no_credential_goes_further_than_the_gateway(served: Served, gateway: Gateway) -> None:
    person = await at_orders(served)
    wish = {"name": "k", "audience": "orders"}
    key = (await (await served.person()).ask("POST", "/me/api-keys", json=wish)).json()["api_key"]
    for path in ("/orders/1", "/open/1"):
        for shown in (bearer(person.access), ("X-API-Key", key), bearer(key)):
            reply = await gateway.ask(path, shown)
            assert reply.status == 200
            assert shown[1].removeprefix("Bearer ") not in str(reply.got["headers"])
    both = await gateway.ask("/orders/1", bearer(person.access), ("X-API-Key", key))
    assert both.status == 400


async def test_whoever_was_signed_out_is_refused_by_the_gateway_at_once(served: Served, gateway: Gateway) -> None:
    person = await at_orders(served)
    assert (await gateway.ask("/orders/1", bearer(person.access))).status == 200
    await person.ask("POST", "/auth/logout")
    assert (await gateway.ask("/orders/1", bearer(person.access))).status == 401


@pytest.mark.parametrize("name", GATEWAYS)
async def test_where_minos_gives_no_answer_nobody_is_let_through(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    found, behind = GATEWAYS[name]
    program = found()
    if isinstance(program, str):
        pytest.skip(program)

    async def failing(scope: object, receive: object, send: object) -> None:
        raise RuntimeError

    async with behind(program, tmp_path_factory.mktemp("failing"), failing) as gateway:
        reply = await gateway.ask("/orders/1", ("Authorization", "Bearer x"))
        assert (reply.status, gateway.reached) == (503, [])
        assert gateway.asked == [f"GET {ASKED}"]
