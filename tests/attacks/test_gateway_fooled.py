"""Ways past a gateway that asks Minos, or past a service that trusts what it hands on."""

import httpx
import jwt
import pytest

from tests.api.conftest import Person, Served
from tests.api.test_check import ask, at_orders, clerk
from tests.api.test_introspection import token_of
from tests.api.test_oauth import robot


async def test_an_internal_token_is_an_access_token_nowhere(served: Served, admin: Person) -> None:
    one = await robot(admin, "orders.read")
    handed_on = [
        (await ask(served, token, audience=audience)).headers["minos-identity"]
        for token, audience in ((admin.access, "minos"), (await token_of(served, one), "orders"))
    ]
    for token, audience in zip(handed_on, ("minos", "orders"), strict=True):
        bearer = {"Authorization": f"Bearer {token}"}
        assert (await ask(served, token, audience=audience)).status_code == 401
        for path in ("/api/v1/me", "/api/v1/auth/session", "/api/v1/users"):
            assert (await served.http.get(path, headers=bearer)).status_code == 401
        assert (await served.http.post("/api/v1/auth/logout", headers=bearer)).status_code == 401
        said = (await served.http.post("/oauth2/introspect", data={"token": token}, headers=one.basic)).json()
        assert said == {"active": False}


async def test_an_access_token_is_no_internal_token(served: Served, admin: Person) -> None:
    """Neither its type nor its key is one: the sets have no key in common (threats.md 14)."""
    answer = await ask(served, admin.access, audience="minos")
    internal, access = (jwt.get_unverified_header(token) for token in (answer.headers["minos-identity"], admin.access))
    assert (internal["typ"], access["typ"]) == ("minos-internal+jwt", "at+jwt")
    sets = [
        {key["kid"] for key in (await served.http.get(f"/.well-known/{name}.json")).json()["keys"]}
        for name in ("internal-jwks", "jwks", "signals-jwks")
    ]
    assert [internal["kid"] in each for each in sets] == [True, False, False]
    assert [access["kid"] in each for each in sets] == [False, True, False]


async def test_threat_7_a_credential_for_another_audience_opens_nothing(served: Served, admin: Person) -> None:
    person, one = await at_orders(served), await robot(admin, "orders.read")
    key = (await person_with_key(served)).json()["api_key"]
    for token in (person.access, await token_of(served, one), key):
        assert (await ask(served, token, audience="orders")).status_code == 200
        for elsewhere in ("reports", "minos", "nowhere"):
            assert (await ask(served, token, audience=elsewhere)).status_code == 401
    assert (await ask(served, person.access)).status_code == 400
    assert (await ask(served, person.refresh, audience="orders")).status_code == 401


async def person_with_key(served: Served) -> httpx.Response:
    return await (await served.person()).ask("POST", "/me/api-keys", json={"name": "k", "audience": "orders"})


async def test_whoever_was_signed_out_is_refused_at_once(served: Served, admin: Person) -> None:
    person = await at_orders(served)
    assert (await ask(served, person.access, audience="orders")).status_code == 200
    assert (await person.ask("POST", "/auth/logout")).status_code == 204
    answer = await ask(served, person.access, audience="orders")
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


@pytest.mark.parametrize("more", ["&audience=reports", "&audience=orders", "&permission=orders.read", "&role=clerk", "&x=1"])
async def test_a_query_that_a_gateway_passes_on_can_only_ask_for_more(served: Served, admin: Person, more: str) -> None:
    """The confused deputy: a configuration that appends the client's query to its own. Nothing in it lowers what is asked for."""
    clerks, nobody = await clerk(served, admin), await at_orders(served)
    asked = "/api/v1/auth/check?audience=orders&role=clerk&permission=orders.read"
    for token, status in ((nobody.access, 403), (clerks.access, 200)):
        bearer = {"Authorization": f"Bearer {token}"}
        assert (await served.http.get(asked, headers=bearer)).status_code == status
        assert (await served.http.get(asked + more, headers=bearer)).status_code in {status, 422}


async def test_two_credentials_are_none(served: Served, admin: Person) -> None:
    """Which of them was judged, and which one does the service behind look at?"""
    person = await at_orders(served)
    key = (await person_with_key(served)).json()["api_key"]
    twice = [("authorization", f"Bearer {person.access}"), ("authorization", f"Bearer {person.access}")]
    both = [("authorization", f"Bearer {person.access}"), ("x-api-key", key)]
    for headers in (twice, both, [("x-api-key", key)] * 2):
        answer = await served.http.get("/api/v1/auth/check?audience=orders", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "ambiguous_credentials")


async def test_what_a_client_says_of_itself_is_not_looked_at(served: Served, admin: Person) -> None:
    person = await at_orders(served)
    theirs = (await ask(served, admin.access, audience="minos")).headers["minos-identity"]
    forged = {"Minos-Identity": theirs, "Minos-Subject": admin.user_id, "Minos_Roles": "admin", "minos-roles": "admin"}
    answer = await ask(served, person.access, audience="orders", headers=forged)
    assert (answer.headers["minos-subject"], answer.headers["minos-roles"]) == (person.user_id, "user")
    assert (await ask(served, person.access, audience="orders", role="admin", headers=forged)).status_code == 403
    assert (await ask(served, None, audience="orders", headers=forged)).status_code == 401
