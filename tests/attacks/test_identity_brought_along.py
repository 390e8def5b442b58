"""Somebody comes to a gateway, as we ship its configuration, with an identity of their own making: it reaches no service."""

import pytest

from api.check import HEADERS
from tests.api.conftest import Person, Served
from tests.api.test_check import ask, at_orders, claims_of
from tests.behind_gateways import Gateway

FORGED = "somebody-else"


def bearer(token: str) -> tuple[str, str]:
    return "Authorization", f"Bearer {token}"


def spelled(name: str) -> list[str]:
    return [name, name.lower(), name.upper()]


def underscored(name: str) -> list[str]:
    """As WSGI and CGI take it for the same."""
    return [each.replace("-", "_") for each in spelled(name)]


@pytest.mark.parametrize("path", ["/orders/1", "/open/1"])
async def test_no_spelling_of_an_identity_header_reaches_a_service(served: Served, admin: Person, gateway: Gateway, path: str) -> None:
    person = await at_orders(served)
    forged = [(spelling, FORGED) for name in HEADERS for spelling in spelled(name)]
    for brought in (forged, [*forged, *forged], [("Connection", ", ".join(HEADERS)), *forged]):
        reply = await gateway.ask(path, bearer(person.access), *brought)
        assert reply.status == 200
        assert FORGED not in str(reply.got["headers"])
        told = reply.named("minos-")
        if path.startswith("/open/"):
            assert told == {}
        else:
            assert (told["minos-subject"], told["minos-roles"], told["minos-session"]) == (person.user_id, "user", person.session_id)


@pytest.mark.parametrize("path", ["/orders/1", "/open/1"])
async def test_no_underscore_in_place_of_a_hyphen_brings_one_through(served: Served, admin: Person, gateway: Gateway, path: str) -> None:
    """nginx drops them, Envoy refuses the request."""
    person, before = await at_orders(served), len(gateway.reached)
    for name in HEADERS:
        for spelling in underscored(name):
            reply = await gateway.ask(path, bearer(person.access), (spelling, FORGED))
            assert reply.status == {"nginx": 200, "envoy": 400}[gateway.name]
            assert reply.status == 400 or FORGED not in str(reply.got["headers"])
    assert len(gateway.reached) - before == (0 if gateway.name == "envoy" else 18)


async def test_another_persons_signed_identity_is_replaced(served: Served, admin: Person, gateway: Gateway) -> None:
    stolen = (await ask(served, admin.access, audience="minos")).headers["minos-identity"]
    person = await at_orders(served)
    reply = await gateway.ask("/orders/1", bearer(person.access), ("Minos-Identity", stolen), ("minos-identity", stolen))
    [identity] = [value for name, value in reply.got["headers"] if name == "minos-identity"]
    assert identity != stolen
    claims = await claims_of(served, identity)
    assert (claims["sub"], claims["aud"]) == (person.user_id, "orders")
