"""Forward authentication over HTTP: whom a gateway lets through, what it is told, and with what it is refused."""

from typing import Any

import httpx
import jwt
import pytest

from adapters.internal_tokens import MOST
from api.check import HEADERS
from minos_sdk.errors import InvalidToken
from minos_sdk.gateway import GatewayVerifier
from tests.api.conftest import BASE, Person, Served
from tests.api.test_introspection import token_of
from tests.api.test_oauth import robot

EMPTY = ""
VARYING = {"x-request-id", "minos-identity", "ratelimit"}
"""New with each answer."""


async def ask(
    served: Served, token: str | None, *, method: str = "GET", headers: dict[str, str] | None = None, **query: Any
) -> httpx.Response:
    bearer = {} if token is None else {"Authorization": f"Bearer {token}"}
    return await served.http.request(method, "/api/v1/auth/check", params=query, headers={**bearer, **(headers or {})})


async def at_orders(served: Served) -> Person:
    person = await served.person(sign_in=False)
    await person.sign_in(audience="orders")
    return person


async def clerk(served: Served, admin: Person, name: str = "clerk", permissions: tuple[str, ...] = ("orders.read",)) -> Person:
    """Somebody with a role, and a token for `orders` from before they had it."""
    person = await at_orders(served)
    await admin.ask("POST", "/roles", json={"name": name, "permissions": permissions})
    assert (await admin.ask("PUT", f"/users/{person.user_id}/roles/{name}")).status_code == 204
    return person


async def claims_of(served: Served, token: str, audience: str = "orders") -> dict[str, Any]:
    """As a service behind the gateway checks the `Minos-Identity` it is handed."""
    keys = jwt.PyJWKSet.from_dict((await served.http.get("/.well-known/internal-jwks.json")).json())
    header = jwt.get_unverified_header(token)
    assert (header["typ"], header["alg"]) == ("minos-internal+jwt", "ES256")
    claims: dict[str, Any] = jwt.decode(token, keys[header["kid"]], algorithms=["ES256"], audience=audience, issuer=BASE)
    return claims


async def test_a_person_is_let_through_and_told_of_in_a_signed_token_of_a_minute(served: Served, admin: Person) -> None:
    person = await clerk(served, admin)
    answer = await ask(served, person.access, audience="orders", role="clerk", permission="orders.read")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["cache-control"] == "no-store"
    plain = {name: answer.headers[name] for name in HEADERS if name != "Minos-Identity"}
    assert plain == {
        "Minos-Principal": "user",
        "Minos-Subject": person.user_id,
        "Minos-Roles": "clerk,user",
        "Minos-Session": person.session_id,
        "Minos-Client": "minos",
    }
    claims = await claims_of(served, answer.headers["minos-identity"])
    assert claims["exp"] - claims["iat"] == 60
    assert {name: claims[name] for name in ("sub", "sid", "principal", "roles", "permissions", "aud", "client_id")} == {
        "sub": person.user_id,
        "sid": person.session_id,
        "principal": "user",
        "roles": ["clerk", "user"],
        "permissions": ["orders.read"],
        "aud": "orders",
        "client_id": "minos",
    }
    assert claims["auth_time"]
    assert (claims["acr"], claims["amr"]) == ("urn:minos:acr:one-factor", ["pwd"])


async def test_what_does_not_apply_is_empty_and_never_missing(served: Served, admin: Person) -> None:
    """A gateway that lays the answer over the request would leave what a client sent under a name that is missing."""
    one = await robot(admin, "orders.read")
    person = await served.person()
    key = (await person.ask("POST", "/me/api-keys", json={"name": "k", "audience": "orders"})).json()
    for shown, principal, subject, client in (
        ({"Authorization": f"Bearer {await token_of(served, one)}"}, "service", one.client_id, one.client_id),
        ({"X-API-Key": key["api_key"]}, "api_key", person.user_id, EMPTY),
        ({"Authorization": f"Bearer {key['api_key']}"}, "api_key", person.user_id, EMPTY),
    ):
        answer = await ask(served, None, headers=shown, audience="orders")
        assert answer.status_code == 200, answer.text
        told = [answer.headers[name] for name in HEADERS if name != "Minos-Identity"]
        assert told == [principal, subject, EMPTY, EMPTY, client]
        claims = await claims_of(served, answer.headers["minos-identity"])
        assert (claims["principal"], claims.get("key_id")) == (principal, key["key_id"] if principal == "api_key" else None)
        assert not {"sid", "auth_time", "acr", "amr"} & claims.keys()


async def test_refusals_tell_what_is_missing(served: Served, admin: Person) -> None:
    person = await at_orders(served)
    asked: list[tuple[str | None, dict[str, Any], tuple[int, str, str | None]]] = [
        (person.access, {}, (400, "audience_unnamed", None)),
        (None, {"audience": "orders"}, (401, "authentication_required", 'Bearer realm="minos"')),
        ("made-up", {"audience": "orders"}, (401, "invalid_token", 'Bearer realm="minos", error="invalid_token"')),
        (
            person.access,
            {"audience": "orders", "role": "clerk"},
            (403, "permission_denied", 'Bearer realm="minos", error="insufficient_scope"'),
        ),
        (person.access, {"audience": "orders", "permission": "orders.read"}, (403, "permission_denied", None)),
        (person.access, {"audience": "orders", "permission": "no permission"}, (422, "validation_failed", None)),
        (person.access, {"audience": "orders", "uri": "/x"}, (422, "validation_failed", None)),
    ]
    for token, query, (status, code, challenge) in asked:
        answer = await ask(served, token, **query)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert challenge is None or answer.headers["www-authenticate"].startswith(challenge)
        assert answer.headers["cache-control"] == "no-store"
        assert not any(name in answer.headers for name in HEADERS)


async def test_every_role_and_permission_that_is_asked_for_is_needed(served: Served, admin: Person) -> None:
    person = await clerk(served, admin, "writer", ("orders.read", "orders.write"))
    asked: list[tuple[dict[str, Any], int]] = [
        ({"permission": ["orders.read", "orders.write"], "role": ["writer", "user"]}, 200),
        ({"permission": ["orders.read", "orders.delete"]}, 403),
        ({"role": ["writer", "admin"]}, 403),
    ]
    for query, status in asked:
        assert (await ask(served, person.access, audience="orders", **query)).status_code == status


@pytest.mark.parametrize(
    "query",
    ["", "audience=orders", "audience=orders&role=user&permission=o.r", "audience=orders&role=user", "audience=reports", "audience=minos",
     "audience=ORDERS", "audience=orders&audience=orders", "audience=orders&x=1", "audience=orders&role=", "role=user", "audience=%ff",
     "audience=orders&permission=a..b", "audience=orders" + "&role=user" * 17, "audience=orders;role=user", "&audience=orders&"],
)  # fmt: skip
async def test_a_plain_question_is_answered_as_the_ordinary_route_does(served: Served, admin: Person, query: str) -> None:
    """The express lane takes no other questions; a condition is for the ordinary route."""
    person = await at_orders(served)
    for shown in ({"Authorization": f"Bearer {person.access}"}, {"Authorization": "Bearer made-up"}, {"X-API-Key": "mk_x"}, {}):
        quick, ordinary = [
            await served.http.get(f"/api/v1/auth/check?{query}", headers={**shown, **more}) for more in ({}, {"If-None-Match": '"x"'})
        ]
        assert (quick.status_code, quick.content) == (ordinary.status_code, ordinary.content)
        told = [{name: value for name, value in answer.headers.items() if name not in VARYING} for answer in (quick, ordinary)]
        assert told[0] == told[1]


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_every_method_is_judged_and_none_is_let_through_unasked(served: Served, admin: Person, method: str) -> None:
    """Envoy asks with the method of the request it asks about, and the framework would answer OPTIONS by itself."""
    person = await at_orders(served)
    assert (await ask(served, None, method=method, audience="orders")).status_code == 401
    assert (await ask(served, "made-up", method=method, audience="orders")).status_code == 401
    answer = await ask(served, person.access, method=method, audience="orders", headers={"Content-Length": "0"})
    assert (answer.status_code, answer.headers["minos-subject"]) == (200, person.user_id)


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "CONNECT"])
async def test_other_methods_are_let_through_for_nobody(served: Served, method: str) -> None:
    person = await at_orders(served)
    answer = await ask(served, person.access, method=method, audience="orders")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


async def test_the_length_of_a_body_that_was_not_sent_along_keeps_nobody_waiting(served: Served) -> None:
    person = await at_orders(served)
    headers = {
        "Content-Length": "100000000",
        "Content-Type": "image/png",
        "X-Original-URI": "/orders?role=admin",
        "X-Original-Method": "PUT",
    }
    assert (await ask(served, person.access, method="PUT", audience="orders", headers=headers)).status_code == 200


@pytest.mark.parametrize(("number", "length"), [(120, 60), (MOST, 1)])
async def test_an_identity_that_services_would_not_take_is_refused_and_not_cut(
    served: Served, admin: Person, number: int, length: int
) -> None:
    many = tuple(f"o.{n:03}.{'x' * length}" for n in range(number))
    person = await clerk(served, admin, f"hoarder-{number}", many)
    if number == MOST:
        await admin.ask("POST", "/roles", json={"name": "one-more", "permissions": ["o.more"]})
        await admin.ask("PUT", f"/users/{person.user_id}/roles/one-more")
    answer = await ask(served, person.access, audience="orders", permission=many[0])
    assert (answer.status_code, answer.json()["code"]) == (403, "identity_too_long")


async def test_the_sdk_takes_what_is_handed_on_for_its_own_audience_alone(served: Served, admin: Person) -> None:
    person, owner, one = await clerk(served, admin, "reader"), await served.person(), await robot(admin, "orders.read")
    key = (await owner.ask("POST", "/me/api-keys", json={"name": "k", "audience": "orders"})).json()["api_key"]
    at_orders, at_reports = (GatewayVerifier(issuer=BASE, audience=name, http=served.http) for name in ("orders", "reports"))
    known: list[tuple[str, str, bool]] = []
    for shown in (person.access, await token_of(served, one), key):
        handed_on = (await ask(served, shown, audience="orders")).headers["minos-identity"]
        identity = await at_orders.verify(handed_on)
        known.append((identity.principal, identity.subject, identity.has_permission("orders.read")))
        with pytest.raises(InvalidToken):
            await at_reports.verify(handed_on)
    assert known == [("user", person.user_id, True), ("service", one.client_id, True), ("api_key", owner.user_id, False)]
