"""API keys over HTTP: where they may stand, what they open, who makes and ends them."""

from secrets import token_urlsafe

import pytest

from tests.api.conftest import Person, Served, aged


async def keyed(served: Served, admin: Person, *permissions: str) -> tuple[Person, dict[str, str]]:
    """Somebody who may do this, and a key of theirs for all of it."""
    name = "keyed-" + "-".join(p.replace(".", "-").replace("*", "all") for p in permissions)
    await admin.ask("POST", "/roles", json={"name": name, "permissions": permissions})
    person = await served.person()
    assert (await admin.ask("PUT", f"/users/{person.user_id}/roles/{name}")).status_code == 204
    made = await person.ask("POST", "/me/api-keys", json={"name": "script", "permissions": permissions})
    assert made.status_code == 201, made.text
    return person, made.json()


@pytest.mark.parametrize("header", ["x-api-key", "bearer"])
async def test_a_key_opens_what_its_permissions_say_in_either_header(served: Served, admin: Person, header: str) -> None:
    _, key = await keyed(served, admin, "minos.roles.read")
    headers = {"X-API-Key": key["api_key"]} if header == "x-api-key" else {"Authorization": f"Bearer {key['api_key']}"}
    assert (await served.http.get("/api/v1/roles", headers=headers)).status_code == 200
    refused = await served.http.get("/api/v1/users", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    own = await served.http.get("/api/v1/me", headers=headers)
    assert (own.status_code, own.json()["code"]) == (403, "session_required")


async def test_who_did_not_hear_the_answer_asks_again_and_hears_the_same_key(served: Served, admin: Person) -> None:
    person = await served.person()
    once = {"Idempotency-Key": token_urlsafe(24)}
    first, again = [await person.ask("POST", "/me/api-keys", json={"name": "k"}, headers=once) for _ in range(2)]
    assert (first.status_code, again.status_code, first.json()) == (201, 201, again.json())
    turning = {"Idempotency-Key": token_urlsafe(24)}
    for turn in range(2):
        other = (await person.ask("POST", "/me/api-keys", json={"name": f"k{turn}"})).json()["key_id"]
        answer = await person.ask("POST", f"/me/api-keys/{other}/rotate", json={}, headers=turning)
        assert answer.status_code == (200, 422)[turn], "the same key for another address"
    await person.ask("DELETE", f"/me/api-keys/{first.json()['key_id']}")
    gone = await person.ask("POST", "/me/api-keys", json={"name": "k"}, headers=once)
    assert (gone.status_code, gone.json()["code"]) == (409, "secret_not_shown_again")
    another = await (await served.person()).ask("POST", "/me/api-keys", json={"name": "k"}, headers=once)
    assert (another.status_code, another.json()["key_id"] != first.json()["key_id"]) == (201, True)


async def test_a_stale_proof_gets_no_secret_again(served: Served) -> None:
    """Authentication and step-up come first, whatever key is sent along (threats.md 4)."""
    person = await served.person()
    once = {"Idempotency-Key": token_urlsafe(24)}
    assert (await person.ask("POST", "/me/api-keys", json={"name": "k"}, headers=once)).status_code == 201
    person.access = await aged(served, person, 10_000)
    answer = await person.ask("POST", "/me/api-keys", json={"name": "k"}, headers=once)
    assert (answer.status_code, answer.json()["code"]) == (401, "reauthentication_required")


async def test_a_key_and_a_token_in_one_request_are_refused(served: Served, admin: Person) -> None:
    _, key = await keyed(served, admin, "minos.roles.read")
    headers = {"X-API-Key": key["api_key"], "Authorization": f"Bearer {admin.access}"}
    answer = await served.http.get("/api/v1/roles", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "ambiguous_credentials")


async def test_a_token_is_no_key(served: Served, admin: Person) -> None:
    answer = await served.http.get("/api/v1/roles", headers={"X-API-Key": admin.access})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


async def test_my_keys_are_listed_turned_and_revoked(served: Served, admin: Person) -> None:
    person, key = await keyed(served, admin, "minos.roles.read")
    await served.http.get("/api/v1/roles", headers={"X-API-Key": key["api_key"]})
    [row] = (await person.ask("GET", "/me/api-keys")).json()["data"]
    assert (row["key_id"], row["name"], row["permissions"], row["expires_soon"]) == (key["key_id"], "script", ["minos.roles.read"], False)
    assert row["last_used_at"] is not None
    turned = (await person.ask("POST", f"/me/api-keys/{key['key_id']}/rotate", json={"overlap": 0})).json()
    assert (await served.http.get("/api/v1/roles", headers={"X-API-Key": key["api_key"]})).status_code == 401
    assert (await served.http.get("/api/v1/roles", headers={"X-API-Key": turned["api_key"]})).status_code == 200
    stranger = await served.person()
    assert (await stranger.ask("DELETE", f"/me/api-keys/{key['key_id']}")).json()["code"] == "api_key_not_found"
    assert (await person.ask("DELETE", f"/me/api-keys/{key['key_id']}")).status_code == 204
    assert (await served.http.get("/api/v1/roles", headers={"X-API-Key": turned["api_key"]})).status_code == 401


async def test_an_administrator_lists_and_ends_keys_and_makes_none_for_a_person(served: Served, admin: Person) -> None:
    person, key = await keyed(served, admin, "minos.roles.read")
    await served.project()
    listed = (await admin.ask("GET", f"/api-keys?user_id={person.user_id}")).json()["data"]
    assert [row["key_id"] for row in listed] == [key["key_id"]]
    assert key["api_key"] not in str(listed)
    soon = (await admin.ask("GET", f"/api-keys?user_id={person.user_id}&expires_before=2026-01-01T00:00:00Z")).json()["data"]
    assert soon == []
    assert (await admin.ask("POST", f"/api-keys/{key['key_id']}/rotate", json={})).json()["code"] == "api_key_not_found"
    assert (await admin.ask("DELETE", f"/api-keys/{key['key_id']}")).status_code == 204
    assert (await served.http.get("/api/v1/roles", headers={"X-API-Key": key["api_key"]})).status_code == 401


async def test_a_leaked_key_is_ended_by_whoever_found_it(served: Served, admin: Person) -> None:
    person, key = await keyed(served, admin, "minos.roles.read")
    for text in ("mk_dev_none", key["api_key"], key["api_key"]):
        answer = await served.http.post("/api/v1/api-keys/revoke-leaked", json={"api_key": text})
        assert (answer.status_code, answer.content) == (204, b"")
    assert (await served.http.get("/api/v1/roles", headers={"X-API-Key": key["api_key"]})).status_code == 401
    await served.project()
    told = (await person.ask("GET", "/me/history")).json()["data"]
    assert [row["reason"] for row in told if row["type"] == "api_key.revoked.v1"] == ["leaked"]


async def test_a_service_accounts_key_is_made_within_both(served: Served, admin: Person) -> None:
    wish = {"name": "robot", "audiences": ["minos"], "permissions": ["minos.roles.read"]}
    client_id = (await admin.ask("POST", "/service-accounts", json=wish)).json()["client_id"]
    body = {"client_id": client_id, "name": "ci", "permissions": ["minos.roles.read"]}
    made = await admin.ask("POST", "/api-keys", json=body)
    assert made.status_code == 201
    assert (await served.http.get("/api/v1/roles", headers={"X-API-Key": made.json()["api_key"]})).status_code == 200
    more = await admin.ask("POST", "/api-keys", json=body | {"permissions": ["minos.users.read"]})
    assert (more.status_code, more.json()["code"]) == (403, "rights_exceeded")
