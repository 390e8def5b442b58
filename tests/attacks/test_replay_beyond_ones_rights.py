"""Somebody tries to read the past who may not, to open what is sealed with half a right, or to go on once the right is gone."""

import json
from hashlib import sha256
from typing import Any

import httpx
import pytest

from adapters.base64url import to_text
from tests.api.conftest import Person, Served, aged
from tests.api.listening import listening

REPLAY, REVEALED = "/audit/replay", "/audit/reveal"
READ, REVEAL = "minos.audit.read", "minos.audit.reveal"


async def holding(served: Served, admin: Person, *permissions: str) -> tuple[Person, str]:
    """Somebody who signed in just now, and the role they have these permissions of."""
    person = await served.person()
    role = f"holds-{person.user_id}"
    assert (await admin.ask("POST", "/roles", json={"name": role, "permissions": list(permissions)})).status_code == 201
    assert (await admin.ask("PUT", f"/users/{person.user_id}/roles/{role}")).status_code == 204
    await person.sign_in()
    return person, role


async def questions(served: Served, admin: Person, of: Person) -> list[str]:
    await served.project()
    answer = await admin.ask("GET", REPLAY, params={"type_prefix": "audit.asked", "actor": f"user:{of.user_id}"})
    return [line["payload"]["question"] for line in map(json.loads, answer.text.splitlines()) if "payload" in line]


def refused(answer: httpx.Response) -> tuple[int, Any]:
    assert "position" not in answer.text
    return answer.status_code, answer.json()["code"]


async def test_attack_past_read_with_neighbouring_rights(served: Served, admin: Person) -> None:
    nosy, _ = await holding(served, admin, "minos.events.read", "minos.users.read", "minos.audit.write", "minos.audit")
    assert refused(await nosy.ask("GET", REPLAY)) == (403, "permission_denied")
    assert refused(await nosy.ask("POST", REVEALED, json={})) == (403, "permission_denied")
    assert await questions(served, admin, nosy) == []


async def test_attack_sealed_fields_opened_by_an_auditor_without_that_right(served: Served, admin: Person) -> None:
    auditor, _ = await holding(served, admin, READ)
    assert (await auditor.ask("GET", REPLAY, params={"through": 1})).status_code == 200
    assert refused(await auditor.ask("POST", REVEALED, json={})) == (403, "permission_denied")
    assert (await auditor.ask("GET", REPLAY, params={"reveal": "true"})).status_code == 422
    assert await questions(served, admin, auditor) == ["replay"]


async def test_attack_sealed_fields_opened_with_a_stolen_session(served: Served, admin: Person) -> None:
    """Who has the token of an auditor, and nothing to prove that they are there, opens nothing."""
    auditor, _ = await holding(served, admin, READ, REVEAL)
    auditor.access = await aged(served, auditor, 1_000)
    assert refused(await auditor.ask("POST", REVEALED, json={})) == (401, "reauthentication_required")
    assert await questions(served, admin, auditor) == []


async def test_attack_sealed_fields_opened_by_a_machine(served: Served) -> None:
    token = await served.machine("*")
    answer = await served.http.post(f"/api/v1{REVEALED}", json={}, headers={"Authorization": f"Bearer {token}"})
    assert refused(answer) == (403, "session_required")


async def test_attack_action_token_for_one_replay_used_for_a_wider_one(served: Served, admin: Person) -> None:
    auditor, _ = await holding(served, admin, READ, REVEAL)
    one = json.dumps({"through": 1}).encode()
    bound = {"method": "POST", "path": f"/api/v1{REVEALED}", "parameters": to_text(sha256(one).digest())}
    made = await auditor.ask("POST", "/auth/action-tokens", json={"action": "minos:reveal-events", **bound})
    shown = {"X-Action-Token": made.json()["action_token"], "Content-Type": "application/json"}
    auditor.access = await aged(served, auditor, 1_000)
    assert refused(await auditor.ask("POST", REVEALED, headers=shown, content=b"{}")) == (403, "action_token_invalid")
    assert (await auditor.ask("POST", REVEALED, headers=shown, content=one)).status_code == 200
    assert refused(await auditor.ask("POST", REVEALED, headers=shown, content=one))[1] == "action_token_used"


async def test_attack_replay_that_goes_on_without_the_right(served: Served, admin: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.replaying.PAGE", 1)
    monkeypatch.setattr("api.replaying.LOOKED_AT_AGAIN_SECONDS", 0.0)
    auditor, role = await holding(served, admin, READ)
    await served.project()
    async with listening(served, auditor.access, what=f"/api/v1{REPLAY}") as stream:
        stream.is_reading.clear()
        assert (await admin.ask("DELETE", f"/users/{auditor.user_id}/roles/{role}")).status_code == 204
        stream.is_reading.set()
        *lines, end = map(json.loads, (await stream.rest()).splitlines())
    assert (end["complete"], end["code"]) == (False, "permission_denied")
    assert end["next"] == len(lines) < end["size"]
