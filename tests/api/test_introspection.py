"""What a token is worth now, asked by a service for its own audiences; and tokens let go by whoever holds them."""

from typing import Any

import asyncpg
import pytest

from tests.api.conftest import Person, Served
from tests.api.test_oauth import GRANT, Robot, error, robot


async def asked(served: Served, one: Robot, token: str) -> dict[str, Any]:
    answer = await served.http.post("/oauth2/introspect", data={"token": token}, headers=one.basic)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


async def token_of(served: Served, one: Robot, **more: str) -> str:
    return str((await served.http.post("/oauth2/token", data={**GRANT, **more}, headers=one.basic)).json()["access_token"])


async def events(served: Served) -> int:
    connection = await asyncpg.connect(served.database.app_url)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM events"))
    finally:
        await connection.close()


async def last_actors(served: Served, *types: str) -> list[str]:
    """Who did the last of each."""
    connection = await asyncpg.connect(served.database.app_url)
    try:
        last = "SELECT actor FROM events WHERE type = $1 ORDER BY append_id DESC LIMIT 1"
        return [str(await connection.fetchval(last, kind)) for kind in types]
    finally:
        await connection.close()


async def test_a_persons_token_is_active_until_their_session_ends(served: Served, admin: Person) -> None:
    one, person = await robot(admin), await served.person(sign_in=False)
    await person.sign_in(audience="orders")
    said = await asked(served, one, person.access)
    assert (said["active"], said["sub"], said["aud"], said["principal"], said["roles"]) == (
        True,
        person.user_id,
        "orders",
        "user",
        ["user"],
    )
    assert (said["sid"], said["token_type"]) == (person.session_id, "Bearer")
    assert (await asked(served, one, person.refresh))["token_type"] == "refresh_token"
    await person.ask("POST", "/auth/logout")
    for token in (person.access, person.refresh):
        assert await asked(served, one, token) == {"active": False}


async def test_a_machines_token_tells_what_its_service_account_may_still_do(served: Served, admin: Person) -> None:
    one = await robot(admin, "orders.read", "orders.write")
    token = await token_of(served, one, scope="orders.read")
    said = await asked(served, one, token)
    assert (said["active"], said["sub"], said["scope"], said["principal"]) == (True, one.client_id, "orders.read", "service")
    await admin.ask("POST", f"/service-accounts/{one.client_id}/revoke-tokens")
    assert await asked(served, one, token) == {"active": False}


async def test_an_api_key_tells_what_its_owner_lets_it_do(served: Served, admin: Person) -> None:
    one, person = await robot(admin), await served.person()
    await admin.ask("POST", "/roles", json={"name": "packer", "permissions": ["orders.pack", "orders.ship"]})
    await admin.ask("PUT", f"/users/{person.user_id}/roles/packer")
    wish = {"name": "k", "audience": "orders", "permissions": ["orders.pack", "orders.ship"]}
    key = (await person.ask("POST", "/me/api-keys", json=wish)).json()
    said = await asked(served, one, key["api_key"])
    assert (said["active"], said["sub"], said["scope"]) == (True, person.user_id, "orders.pack orders.ship")
    assert (said["token_type"], said["jti"]) == ("api_key", key["key_id"])
    await admin.ask("PUT", "/roles/packer/permissions", json={"permissions": ["orders.pack"]})
    assert (await asked(served, one, key["api_key"]))["scope"] == "orders.pack"
    own = await served.http.get("/api/v1/roles", headers={"X-API-Key": key["api_key"]})
    assert (own.status_code, own.json()["code"]) == (401, "invalid_token")


async def test_a_service_learns_nothing_of_tokens_for_others(served: Served, admin: Person) -> None:
    stranger = await robot(admin, audiences=("reports",))
    person = await served.person(sign_in=False)
    await person.sign_in(audience="orders")
    one = await robot(admin, "orders.read")
    for token in (person.access, person.refresh, await token_of(served, one), admin.access):
        assert await asked(served, stranger, token) == {"active": False}


async def test_a_service_whom_the_audience_refuses_learns_nothing(served: Served, admin: Person) -> None:
    """Having an audience among one's own is not enough where that names who may ask."""
    await admin.ask("POST", "/audiences", json={"name": "parcels"})
    one, other, person = await robot(admin, audiences=("parcels",)), await robot(admin, audiences=("parcels",)), await served.person()
    key = (await person.ask("POST", "/me/api-keys", json={"name": "k", "audience": "parcels"})).json()["api_key"]
    await person.sign_in(audience="parcels")
    rules = {"clients": [one.client_id]}
    assert (await admin.ask("PUT", "/audiences/parcels", json=rules)).status_code == 204
    for token in (person.access, person.refresh, key, await token_of(served, one)):
        assert (await asked(served, one, token))["active"] is True
        assert await asked(served, other, token) == {"active": False}


async def test_made_up_tokens_are_not_active(served: Served, admin: Person) -> None:
    one = await robot(admin)
    for token in ("x", "a.b.c", "mrt_x", "mk_dev_x", "mk_dev_" + "0" * 32 + "_" + "A" * 49, "ü", "e" * 9_000):
        assert await asked(served, one, token) == {"active": False}


async def test_unauthenticated_introspection_is_refused_and_none_writes_a_row(served: Served, admin: Person) -> None:
    one = await robot(admin, "orders.read")
    token = await token_of(served, one)
    before = await events(served)
    for headers in ({}, {"Authorization": f"Bearer {admin.access}"}, {"X-API-Key": "mk_x"}):
        answer = await served.http.post("/oauth2/introspect", data={"token": token}, headers=headers)
        assert answer.status_code in {400, 401}
        assert "active" not in answer.json()
    for _ in range(5):
        await asked(served, one, token)
    assert await events(served) == before


async def test_a_client_lets_its_own_token_go_and_no_others(served: Served, admin: Person) -> None:
    one, other = await robot(admin, "orders.read"), await robot(admin, "orders.read")
    token, kept = await token_of(served, one), await token_of(served, one)
    for who, expected in ((other, True), (one, False), (one, False)):
        answer = await served.http.post("/oauth2/revoke", data={"token": token}, headers=who.basic)
        assert (answer.status_code, answer.json()) == (200, {})
        assert (await asked(served, one, token))["active"] is expected
    assert (await asked(served, one, kept))["active"] is True


async def test_whoever_holds_a_refresh_token_or_a_key_may_end_it(served: Served, admin: Person) -> None:
    one, person = await robot(admin), await served.person()
    key = (await person.ask("POST", "/me/api-keys", json={"name": "k"})).json()["api_key"]
    for token in (key, person.refresh, "mrt_made-up"):
        assert (await served.http.post("/oauth2/revoke", data={"token": token}, headers=one.basic)).status_code == 200
    assert (await person.ask("GET", "/auth/session")).status_code == 401
    assert await last_actors(served, "api_key.revoked.v1", "session.revoked.v1") == [f"client:{one.client_id}"] * 2


async def test_a_persons_access_token_is_not_revoked_by_itself(served: Served, admin: Person) -> None:
    one, person = await robot(admin), await served.person()
    answer = await served.http.post("/oauth2/revoke", data={"token": person.access}, headers=one.basic)
    assert error(answer) == (400, "unsupported_token_type")
    assert (await person.ask("GET", "/auth/session")).status_code == 200


@pytest.mark.parametrize("path", ["/oauth2/introspect", "/oauth2/revoke"])
async def test_a_question_without_a_token_or_with_more_is_refused(served: Served, admin: Person, path: str) -> None:
    one = await robot(admin)
    for data in ({}, {"token": "x", "scope": "y"}):
        assert error(await served.http.post(path, data=data, headers=one.basic)) == (400, "invalid_request")
    assert error(await served.http.post(path, data={"token": "x"})) == (401, "invalid_client")
