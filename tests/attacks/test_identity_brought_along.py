"""Somebody comes to nginx, as we ship its configuration, with an identity of their own making: it reaches no service."""

import pytest

from api.check import HEADERS
from tests.api.conftest import Person, Served
from tests.api.test_check import ask, at_orders, claims_of
from tests.behind_nginx import Gateway

FORGED = "somebody-else"


def bearer(token: str) -> tuple[str, str]:
    return "Authorization", f"Bearer {token}"


def spelled(name: str) -> list[str]:
    return [name, name.lower(), name.upper(), name.replace("-", "_"), name.lower().replace("-", "_"), name.upper().replace("-", "_")]


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


async def test_another_persons_signed_identity_is_replaced(served: Served, admin: Person, gateway: Gateway) -> None:
    stolen = (await ask(served, admin.access, audience="minos")).headers["minos-identity"]
    person = await at_orders(served)
    reply = await gateway.ask("/orders/1", bearer(person.access), ("Minos-Identity", stolen), ("minos_identity", stolen))
    [identity] = [value for name, value in reply.got["headers"] if name.replace("_", "-") == "minos-identity"]
    assert identity != stolen
    claims = await claims_of(served, identity)
    assert (claims["sub"], claims["aud"]) == (person.user_id, "orders")
