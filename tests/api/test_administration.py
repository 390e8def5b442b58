"""What administrators change, and what keeps them from changing."""

import secrets

import asyncpg
import pytest

from tests.api.conftest import PASSWORD, Person, Served


async def test_a_suspended_user_is_out_at_once_and_back_when_reinstated(served: Served, admin: Person) -> None:
    person = await served.person()
    assert (await admin.ask("POST", f"/users/{person.user_id}/suspend")).status_code == 204
    assert (await person.ask("GET", "/me")).status_code == 401
    login = {"email": person.email, "password": PASSWORD}
    assert (await served.http.post("/api/v1/auth/login", json=login)).status_code == 401
    assert (await admin.ask("POST", f"/users/{person.user_id}/reinstate")).status_code == 204
    assert (await person.ask("GET", "/me")).status_code == 401
    await person.sign_in()
    assert (await person.ask("GET", "/me")).json()["status"] == "active"


async def test_a_role_acts_at_once_and_stops_at_once(served: Served, admin: Person) -> None:
    person = await served.person()
    ask = {"permission": "desk.open"}
    await admin.ask("POST", "/roles", json={"name": "doorman", "permissions": ["desk.*"]})
    assert (await person.ask("POST", "/permissions/check", json=ask)).json() == {
        "allowed": False, "because": "no_role", "role": None,
    }  # fmt: skip
    await admin.ask("PUT", f"/users/{person.user_id}/roles/doorman")
    assert (await person.ask("POST", "/permissions/check", json=ask)).json()["role"] == "doorman"
    assert (await admin.ask("GET", f"/users/{person.user_id}/roles")).json()["data"][0] == {
        "role": "doorman", "permissions": ["desk.*"],
    }  # fmt: skip
    await admin.ask("PUT", "/roles/doorman/permissions", json={"permissions": ["desk.close"]})
    several = {"checks": [ask, {"permission": "desk.close", "audience": "orders", "resource": "desk:7"}]}
    answer = await person.ask("POST", "/permissions/check", json=several)
    assert [verdict["allowed"] for verdict in answer.json()["checks"]] == [False, True]
    await admin.ask("POST", "/roles/doorman/retire")
    answer = await person.ask("POST", "/permissions/check", json=several)
    assert [verdict["allowed"] for verdict in answer.json()["checks"]] == [False, False]


@pytest.mark.parametrize(
    "body", [{}, {"permission": "a.b", "checks": [{"permission": "a.b"}]}, {"audience": "orders"}, {"checks": []}, {"permission": "A B"}]
)
async def test_a_question_is_one_or_several(served: Served, body: dict[str, object]) -> None:
    person = await served.person()
    assert (await person.ask("POST", "/permissions/check", json=body)).status_code == 422


async def test_a_question_about_an_unknown_audience_is_refused(served: Served) -> None:
    person = await served.person()
    answer = await person.ask("POST", "/permissions/check", json={"permission": "a.b", "audience": "elsewhere"})
    assert (answer.status_code, answer.json()["code"]) == (403, "audience_not_allowed")


async def test_the_last_administrator_stays(served: Served, admin: Person) -> None:
    for method, path in (("DELETE", f"/users/{admin.user_id}/roles/admin"), ("POST", f"/users/{admin.user_id}/suspend")):
        answer = await admin.ask(method, path)
        assert (answer.status_code, answer.json()["code"]) == (409, "last_admin_protected")


async def test_nobody_hands_out_more_than_they_hold(served: Served, admin: Person) -> None:
    await admin.ask("POST", "/roles", json={"name": "granter", "permissions": ["minos.roles.*", "desk.*"]})
    person, friend = await served.person(), await served.person()
    await admin.ask("PUT", f"/users/{person.user_id}/roles/granter")
    wishes = [
        await person.ask("PUT", f"/users/{friend.user_id}/roles/admin"),
        await person.ask("POST", "/roles", json={"name": "overlord", "permissions": ["*"]}),
        await person.ask("POST", "/roles", json={"name": "underlord", "permissions": ["desk.*", "vault.open"]}),
    ]
    assert {(wish.status_code, wish.json()["code"]) for wish in wishes} == {(403, "rights_exceeded")}
    assert (await person.ask("POST", "/roles", json={"name": "desk", "permissions": ["desk.read"]})).status_code == 201


async def test_more_idempotency_keys_than_are_kept_are_refused_and_say_when_to_ask_again(served: Served, admin: Person) -> None:
    person = await served.person()
    await admin.ask("PUT", f"/users/{person.user_id}/roles/admin")
    connection = await asyncpg.connect(served.database.superuser_url)
    await connection.execute(
        "INSERT INTO command_results (key, digest, outcome, actor) "
        "SELECT sha256(n::text::bytea), '', '', $1 FROM generate_series(1, 1000) n",
        f"user:{person.user_id}",
    )
    await connection.close()
    wish, headers = {"name": "janitor", "permissions": []}, {"Idempotency-Key": secrets.token_urlsafe(24)}
    refused = await person.ask("POST", "/roles", json=wish, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (429, "idempotency_keys_exhausted")
    assert int(refused.headers["Retry-After"]) > 60
    await admin.ask("DELETE", f"/users/{person.user_id}/roles/admin")


@pytest.mark.parametrize("name", ["admin", "user"])
async def test_built_in_roles_stay_what_they_are(served: Served, admin: Person, name: str) -> None:
    answer = await admin.ask("POST", f"/roles/{name}/retire")
    assert (answer.status_code, answer.json()["code"]) == (409, "role_protected")


@pytest.mark.parametrize("name", ["UPPER", "a b", "a" * 65, "admin\n", "-x"])
async def test_a_role_has_a_name_that_can_stand_in_an_address(served: Served, admin: Person, name: str) -> None:
    assert (await admin.ask("POST", "/roles", json={"name": name, "permissions": []})).status_code == 422


async def test_one_session_of_another_is_ended_by_whoever_may(served: Served, admin: Person) -> None:
    person, other = await served.person(), await served.person()
    wrong = await admin.ask("DELETE", f"/users/{other.user_id}/sessions/{person.session_id}")
    assert (wrong.status_code, wrong.json()["code"]) == (404, "session_not_found")
    assert (await admin.ask("DELETE", f"/users/{person.user_id}/sessions/{person.session_id}")).status_code == 204
    assert (await person.ask("GET", "/me")).status_code == 401


async def test_keys_turn_while_tokens_of_the_old_one_go_on(served: Served, admin: Person) -> None:
    person = await served.person()
    turned = (await admin.ask("POST", "/signing-keys/rotate")).json()
    assert (await person.ask("GET", "/me")).status_code == 200
    kids = {key["kid"] for key in (await served.http.get("/.well-known/jwks.json")).json()["keys"]}
    assert {turned["active"], turned["published"], *turned["retired"]} <= kids


async def test_tokens_of_a_revoked_key_are_refused_at_once(served: Served, admin: Person) -> None:
    before = (await admin.ask("POST", "/signing-keys/rotate")).json()["active"]
    person = await served.person()
    assert (await admin.ask("POST", f"/signing-keys/{before}/revoke", json={"reason": "compromised"})).status_code == 204
    assert (await person.ask("GET", "/auth/session")).status_code == 401
    kids = {key["kid"] for key in (await served.http.get("/.well-known/jwks.json")).json()["keys"]}
    assert before not in kids
    await admin.sign_in()
    assert (await admin.ask("GET", "/me")).status_code == 200
