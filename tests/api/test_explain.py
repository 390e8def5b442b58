"""Why a sign-in was refused or allowed: for auditors, as of then, with what can be proved told apart from what cannot."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.api.conftest import PASSWORD, Person, Served


async def explained(served: Served, admin: Person, who: Person, **asked: str) -> dict[str, Any]:
    await served.project()
    answer = await admin.ask("GET", f"/users/{who.user_id}/explain", params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_refused_sign_in_is_shown_and_said_not_to_be_provable(served: Served, admin: Person) -> None:
    ada = await served.person()
    await served.http.post("/api/v1/auth/login", json={"email": ada.email, "password": f"not {PASSWORD}"})
    found = await explained(served, admin, ada)
    assert (found["verdict"], found["rule_version"], found["complete"]) == ("allowed", 1, True)
    allowed, refused = found["sign_ins"]
    assert (allowed["outcome"], allowed["provable"], refused["outcome"], refused["provable"]) == ("allowed", True, "wrong_password", False)
    [event] = (await admin.ask("GET", "/audit/events", params={"user_id": ada.user_id, "type_prefix": "session.started"})).json()["data"]
    assert (allowed["position"], allowed["event_id"]) == (event["position"], event["event_id"])
    assert refused["position"] is None


async def test_it_is_as_of_the_moment_asked_about(served: Served, admin: Person) -> None:
    ada = await served.person()
    before = datetime.now(UTC)
    await admin.ask("POST", f"/users/{ada.user_id}/suspend", json={"reason": "abuse"})
    await served.http.post("/api/v1/auth/login", json={"email": ada.email, "password": PASSWORD})
    now = await explained(served, admin, ada)
    assert (now["verdict"], now["sign_ins"][-1]["outcome"]) == ("account_suspended", "account_not_active")
    [status] = [each for each in now["inputs"] if each["name"] == "status"]
    suspended = [each for each in now["events"] if each["type"] == "user.suspended.v1"]
    assert [status["since"]["position"]] == [each["position"] for each in suspended]
    then = await explained(served, admin, ada, at=before.isoformat())
    assert then["verdict"] == "allowed"
    assert then["position"] < status["since"]["position"]
    long_ago = await explained(served, admin, ada, at=(before - timedelta(days=365)).isoformat(), within="60")
    assert (long_ago["verdict"], long_ago["sign_ins"], long_ago["events"]) == ("no_such_account", [], [])


async def test_a_moment_that_has_not_come_is_now(served: Served, admin: Person) -> None:
    ada = await served.person()
    found = await explained(served, admin, ada, at="2999-01-01T00:00:00Z")
    assert datetime.fromisoformat(found["at"]) <= datetime.now(UTC)
    assert [each["outcome"] for each in found["sign_ins"]] == ["allowed"]


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_a_moment_at_the_end_of_the_calendar_is_answered(served: Served, admin: Person, at: str) -> None:
    ada = await served.person()
    found = await explained(served, admin, ada, at=at)
    assert found["verdict"] == ("no_such_account" if at < "1" else "allowed")


async def test_asking_is_written_down(served: Served, admin: Person) -> None:
    ada = await served.person()
    await explained(served, admin, ada)
    await served.project()
    asked = (await admin.ask("GET", "/audit/events", params={"type_prefix": "audit.asked", "user_id": ada.user_id})).json()["data"]
    assert [each["actor"] for each in asked] == [f"user:{admin.user_id}"]


async def test_attack_password_read_out_of_an_explanation(served: Served, admin: Person) -> None:
    """Nothing tells whether a password that was tried while nobody looked at it was right, nor anything else about one."""
    ada = await served.person()
    await admin.ask("POST", f"/users/{ada.user_id}/suspend", json={"reason": "abuse"})
    for password in (PASSWORD, f"not {PASSWORD}"):
        await served.http.post("/api/v1/auth/login", json={"email": ada.email, "password": password})
    await served.project()
    answer = await admin.ask("GET", f"/users/{ada.user_id}/explain")
    right, wrong = answer.json()["sign_ins"][-2:]
    assert {**right, "at": None} == {**wrong, "at": None}
    assert not [word for word in ("argon2", "sealed", PASSWORD, ada.email, "127.0.0.1", "password_version") if word in answer.text]


@pytest.mark.parametrize("permission", ["minos.users.read", "minos.events.read", "minos.sessions.read"])
async def test_attack_explanations_asked_for_with_neighbouring_rights(served: Served, permission: str) -> None:
    headers = {"Authorization": f"Bearer {await served.machine(permission)}"}
    for user_id in (str(uuid4()), (await served.person(sign_in=False)).user_id):
        answer = await served.http.get(f"/api/v1/users/{user_id}/explain", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


async def test_somebody_who_never_was_is_not_explained(served: Served, admin: Person) -> None:
    answer = await admin.ask("GET", f"/users/{uuid4()}/explain")
    assert (answer.status_code, answer.json()["code"]) == (404, "user_not_found")
