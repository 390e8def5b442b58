"""An action token goes with one call of one session, in place of a fresh proof."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.policy import FRESH, OWN_ACTIONS, POLICY
from tests.api.conftest import Person, Served, aged
from tests.api.test_access import GUARDED, Route


async def action_token(who: Person, action: str, method: str, path: str, body: bytes = b"") -> str:
    wish = {"action": action, "method": method, "path": f"/api/v1{path}"}
    if body:
        wish["parameters"] = urlsafe_b64encode(sha256(body).digest()).decode().rstrip("=")
    answer = await who.ask("POST", "/auth/action-tokens", json=wish)
    assert answer.status_code == 201, answer.text
    token: str = answer.json()["action_token"]
    return token


async def call(served: Served, who: Person, token: str, method: str, path: str, body: bytes = b"") -> httpx.Response:  # noqa: PLR0917
    """With an access token whose proof is too old: what lets it through is the action token."""
    headers = {"Authorization": f"Bearer {await aged(served, who, FRESH.max_age + 30)}", "X-Action-Token": token}
    if body:
        headers["Content-Type"] = "application/json"
    return await served.http.request(method, f"/api/v1{path}", headers=headers, content=body)


ROLE = b'{"name": "%s", "permissions": ["tea.make"]}'


def code(answer: httpx.Response) -> tuple[int, str | None]:
    return answer.status_code, answer.json()["code"] if answer.content and answer.status_code >= 400 else None


async def test_it_lets_one_call_through(served: Served, admin: Person) -> None:
    body = ROLE % b"tea-maker"
    token = await action_token(admin, "minos:define-role", "POST", "/roles", body)
    assert code(await call(served, admin, token, "POST", "/roles", body)) == (201, None)
    assert code(await call(served, admin, token, "POST", "/roles", body)) == (409, "action_token_used")


async def test_a_call_that_is_refused_uses_nothing_up(served: Served, admin: Person) -> None:
    body = ROLE % b"admin"
    token = await action_token(admin, "minos:define-role", "POST", "/roles", body)
    for _ in range(2):
        assert code(await call(served, admin, token, "POST", "/roles", body)) == (409, "role_exists")


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_filter_that_finds_nothing_uses_it_up(served: Served, admin: Person, dry_run: bool) -> None:
    body = b'{"user_id": "%s", "dry_run": %s}' % (str(uuid4()).encode(), str(dry_run).lower().encode())
    token = await action_token(admin, "minos:revoke-sessions-by-filter", "POST", "/sessions/revoke-by-filter", body)
    assert code(await call(served, admin, token, "POST", "/sessions/revoke-by-filter", body)) == (200, None)
    assert code(await call(served, admin, token, "POST", "/sessions/revoke-by-filter", body)) == (409, "action_token_used")


async def test_an_offer_of_which_nothing_is_stored_uses_it_up(served: Served) -> None:
    person = await served.person()
    token = await action_token(person, "minos:offer-passkey", "POST", "/me/factors/passkeys/options")
    assert code(await call(served, person, token, "POST", "/me/factors/passkeys/options")) == (200, None)
    assert code(await call(served, person, token, "POST", "/me/factors/passkeys/options")) == (409, "action_token_used")


async def test_attack_action_token_for_another_body(served: Served, admin: Person) -> None:
    token = await action_token(admin, "minos:define-role", "POST", "/roles", ROLE % b"harmless")
    assert code(await call(served, admin, token, "POST", "/roles", ROLE % b"harmful")) == (403, "action_token_invalid")


async def test_attack_action_token_for_another_call(served: Served, admin: Person) -> None:
    one, two = await served.person(), await served.person()
    path = f"/users/{one.user_id}/suspend"
    token = await action_token(admin, "minos:suspend-user", "POST", path, b"{}")
    for method, elsewhere in (("POST", f"/users/{two.user_id}/suspend"), ("DELETE", f"/users/{one.user_id}/sessions")):
        assert code(await call(served, admin, token, method, elsewhere, b"{}")) == (403, "action_token_invalid")
    mixed = await action_token(admin, "minos:suspend-user", "DELETE", f"/users/{one.user_id}/sessions")
    answer = await call(served, admin, mixed, "DELETE", f"/users/{one.user_id}/sessions")
    assert code(answer) == (403, "action_token_invalid")
    assert (await one.ask("GET", "/auth/session")).status_code == 200


async def test_attack_action_token_of_another_session(served: Served) -> None:
    owner, other = await served.person(), await served.person()
    twice = Person(served.http, owner.email)
    await twice.sign_in()
    token = await action_token(owner, "minos:end-my-other-sessions", "DELETE", "/me/sessions")
    for thief in (other, twice):
        assert code(await call(served, thief, token, "DELETE", "/me/sessions")) == (403, "action_token_invalid")


async def test_attack_stale_role_after_demotion(served: Served, admin: Person) -> None:
    helper, victim = await served.person(), await served.person()
    assert (await admin.ask("PUT", f"/users/{helper.user_id}/roles/admin")).status_code == 204
    path = f"/users/{victim.user_id}/suspend"
    token = await action_token(helper, "minos:suspend-user", "POST", path, b"{}")
    assert (await admin.ask("DELETE", f"/users/{helper.user_id}/roles/admin")).status_code == 204
    assert code(await call(served, helper, token, "POST", path, b"{}")) == (403, "permission_denied")
    assert (await victim.ask("GET", "/auth/session")).status_code == 200


async def test_an_old_proof_gets_no_action_token(served: Served, admin: Person) -> None:
    headers = {"Authorization": f"Bearer {await aged(served, admin, FRESH.max_age + 30)}"}
    wish = {"action": "minos:define-role", "method": "POST", "path": "/api/v1/roles"}
    answer = await served.http.post("/api/v1/auth/action-tokens", json=wish, headers=headers)
    assert code(answer) == (401, "reauthentication_required")


async def test_every_dangerous_call_is_an_action(served: Served) -> None:
    assert set(OWN_ACTIONS.values()) == {operation for operation, access in POLICY.items() if access.step_up is not None}
    person = await served.person()
    for action in OWN_ACTIONS:
        await action_token(person, f"minos:{action}", "POST", "/anything")


async def test_an_action_of_minos_names_its_call(served: Served) -> None:
    person = await served.person()
    answer = await person.ask("POST", "/auth/action-tokens", json={"action": "minos:define-role", "method": "POST"})
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/path"]
    unknown = await person.ask("POST", "/auth/action-tokens", json={"action": "minos:read-me", "method": "GET", "path": "/api/v1/me"})
    assert code(unknown) == (404, "action_not_found")


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: route.operation)
async def test_an_action_token_is_no_access_token(served: Served, route: Route) -> None:
    person = await served.person()
    token = await action_token(person, "minos:end-my-other-sessions", "DELETE", "/me/sessions")
    answer = await served.http.request(route.method, route.at(), headers={"Authorization": f"Bearer {token}"})
    assert code(answer) == (401, "invalid_token")


async def rounds(admin: Person, served: Served) -> dict[str, tuple[str, str, Any]]:
    """A call of each dangerous operation that does something."""
    victim, role = await served.person(), f"round-{uuid4().hex[:8]}"
    await admin.ask("POST", "/roles", json={"name": role, "permissions": ["tea.make"]})
    of_victim = f"/users/{victim.user_id}"
    shop = await admin.ask("POST", "/service-accounts", json={"name": "shop", "audiences": ["orders"], "permissions": []})
    return {
        "grantRole": ("PUT", f"{of_victim}/roles/{role}", None),
        "revokeRole": ("DELETE", f"{of_victim}/roles/{role}", None),
        "changeRolePermissions": ("PUT", f"/roles/{role}/permissions", b'{"permissions": ["tea.pour"]}'),
        "retireRole": ("POST", f"/roles/{role}/retire", None),
        "defineRole": ("POST", "/roles", ROLE % f"{role}-2".encode()),
        "endUserSession": ("DELETE", f"{of_victim}/sessions/{victim.session_id}", None),
        "endUserSessions": ("DELETE", f"{of_victim}/sessions", None),
        "suspendUser": ("POST", f"{of_victim}/suspend", b"{}"),
        "reinstateUser": ("POST", f"{of_victim}/reinstate", None),
        "rotateSigningKey": ("POST", "/signing-keys/rotate", b"{}"),
        "defineAction": ("PUT", "/audiences/orders/actions/refund", b'{"verifiers": ["%s"]}' % shop.json()["client_id"].encode()),
        "withdrawAction": ("DELETE", "/audiences/orders/actions/refund", None),
    }


async def test_whatever_it_is_for_it_is_used_up_with_it(served: Served, admin: Person) -> None:
    for operation, (method, path, body) in (await rounds(admin, served)).items():
        name = next(action for action, of in OWN_ACTIONS.items() if of == operation)
        token = await action_token(admin, f"minos:{name}", method, path, body or b"")
        first = await call(served, admin, token, method, path, body or b"")
        assert first.status_code < 300, (operation, first.text)
        again = await call(served, admin, token, method, path, body or b"")
        assert code(again) == (409, "action_token_used"), operation


async def test_ending_the_other_sessions_uses_it_up(served: Served) -> None:
    person = await served.person()
    token = await action_token(person, "minos:end-my-other-sessions", "DELETE", "/me/sessions")
    person.keep((await call(served, person, token, "DELETE", "/me/sessions")).json())
    assert code(await call(served, person, token, "DELETE", "/me/sessions")) == (409, "action_token_used")


async def test_my_history_shows_what_was_done_with_one(served: Served) -> None:
    person = await served.person()
    token = await action_token(person, "minos:end-my-other-sessions", "DELETE", "/me/sessions")
    person.keep((await call(served, person, token, "DELETE", "/me/sessions")).json())
    await served.project()
    rows = (await person.ask("GET", "/me/history")).json()["data"]
    used = [row for row in rows if row["type"] == "action.consumed.v1"]
    assert [(row["reason"], row["session_id"]) for row in used] == [("minos:end-my-other-sessions", person.session_id)]


async def test_a_verifier_that_is_none_is_named(admin: Person) -> None:
    answer = await admin.ask("PUT", "/audiences/orders/actions/ship", json={"verifiers": ["client_typo"]})
    assert code(answer) == (422, "verifier_unfit")
    (fault,) = answer.json()["errors"]
    assert fault["pointer"] == "/verifiers"
    assert "client_typo" in fault["detail"]


async def test_a_made_up_one_is_refused_at_every_operation_that_takes_one(served: Served, admin: Person) -> None:
    for route in GUARDED:
        if POLICY[route.operation].step_up is not None:
            headers = {"Authorization": f"Bearer {admin.access}", "X-Action-Token": "made-up"}
            answer = await served.http.request(route.method, route.at(), headers=headers)
            assert code(answer) == (403, "action_token_invalid"), route
