"""Sessions as their owners and administrators see them."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from api.world import World
from domain.ids import AudienceName, UserId
from tests.api.conftest import BASE, PASSWORD, Person, Served


async def listed(person: Person) -> dict[str, Any]:
    rows = (await person.ask("GET", "/me/sessions")).json()["data"]
    found: dict[str, Any] = next(row for row in rows if row["session_id"] == person.session_id)
    return found


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_a_session_was_last_seen_when_it_was_last_asked_about(served: Served) -> None:
    person = await served.person()
    assert (await person.ask("GET", "/auth/session")).status_code == 200
    once = await listed(person)
    assert instant(once["last_seen_at"]) > instant(once["refreshed_at"])
    assert (await person.ask("GET", "/me")).status_code == 200
    assert instant((await listed(person))["last_seen_at"]) > instant(once["last_seen_at"])


async def test_a_refused_token_is_no_sign_of_life(served: Served, admin: Person) -> None:
    person = await served.person()
    await person.ask("POST", "/auth/logout")
    path = f"/users/{person.user_id}/sessions"
    before = (await admin.ask("GET", path)).json()["data"]
    assert (await person.ask("GET", "/auth/session")).status_code == 401
    after = (await admin.ask("GET", path)).json()["data"]
    assert [row["last_seen_at"] for row in before] == [row["last_seen_at"] for row in after]


async def from_elsewhere(served: Served, person: Person) -> Person:
    """Sign the same person in from another network, on another device."""
    elsewhere = Person(served.http, person.email)
    transport = httpx.ASGITransport(app=served.edge, client=("198.51.100.7", 1234))  # type: ignore[arg-type]  # typed less openly
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers={"User-Agent": f"lynx/{uuid4().hex}"}) as http:
        answer = await http.post("/api/v1/auth/login", json={"email": person.email, "password": PASSWORD})
    elsewhere.keep(answer.json())
    return elsewhere


async def test_a_suspicious_sign_in_is_shown_to_its_owner_and_waits_for_an_administrator(served: Served, admin: Person) -> None:
    person = await served.person()
    strange = await from_elsewhere(served, person)
    shown = await listed(strange)
    assert (shown["signals"], shown["review"]) == (["new_network", "new_device"], "open")
    await served.project()
    waiting = (await admin.ask("GET", "/sessions/suspicious")).json()["data"]
    assert strange.session_id in [row["session_id"] for row in waiting]
    assert person.session_id not in [row["session_id"] for row in waiting]
    path = f"/users/{person.user_id}/sessions/{strange.session_id}"
    assert (await admin.ask("POST", f"{path}/review", json={"review": "resolved"})).status_code == 204
    left = (await admin.ask("GET", "/sessions/suspicious")).json()["data"]
    assert strange.session_id not in [row["session_id"] for row in left], "gone at once, however far the read model is"
    await served.project()
    done = (await admin.ask("GET", "/sessions/suspicious?review=resolved")).json()["data"]
    assert strange.session_id in [row["session_id"] for row in done]


async def test_one_session_is_shown_with_what_happened_in_it(served: Served, admin: Person) -> None:
    person = await served.person()
    path = f"/users/{person.user_id}/sessions/{person.session_id}"
    await person.ask("POST", "/auth/reauthenticate", json={"password": PASSWORD})
    detail = (await admin.ask("GET", path)).json()
    assert detail["session"]["status"] == "active"
    happened = ["session.reauthenticated.v1", "session.token_issued.v1", "session.started.v1"]
    assert [step["type"] for step in detail["timeline"]] == happened
    newest = (await admin.ask("GET", f"{path}?timeline_limit=1")).json()["timeline"]
    assert [step["type"] for step in newest] == happened[:1]
    elsewhere = await admin.ask("GET", f"/users/{admin.user_id}/sessions/{person.session_id}")
    assert elsewhere.status_code == 404


async def test_the_owner_names_a_device(served: Served) -> None:
    person = await served.person()
    assert (await person.ask("PATCH", f"/me/sessions/{person.session_id}", json={"device_name": "kitchen"})).status_code == 204
    assert (await listed(person))["device_name"] == "kitchen"


async def revoke(admin: Person, **wanted: Any) -> dict[str, Any]:
    answer = await admin.ask("POST", "/sessions/revoke-by-filter", json=wanted)
    assert answer.status_code == 200, answer.text
    done: dict[str, Any] = answer.json()
    return done


async def test_a_dry_run_says_what_the_filter_finds_and_ends_nothing(served: Served, admin: Person) -> None:
    person = await served.person()
    strange = await from_elsewhere(served, person)
    await served.project()
    found = await revoke(admin, user_id=person.user_id, suspicious=True, dry_run=True)
    assert [(found["matched"], found["ended"])] == [(1, 0)]
    assert [row["session_id"] for row in found["sample"]] == [strange.session_id]
    assert (await strange.ask("GET", "/auth/session")).status_code == 200
    done = await revoke(admin, user_id=person.user_id, suspicious=True)
    assert (done["matched"], done["ended"], done["next_cursor"]) == (1, 1, None)
    assert (await strange.ask("GET", "/auth/session")).status_code == 401
    assert (await person.ask("GET", "/auth/session")).status_code == 200


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"audience": "minos"}, True),
        ({"audience": "orders"}, False),
        ({"client_id": "minos"}, True),
        ({"created_before": "2020-01-01T00:00:00Z"}, False),
        ({"created_after": "2020-01-01T00:00:00Z"}, True),
        ({"last_seen_before": "2020-01-01T00:00:00Z"}, False),
        ({"last_seen_after": "2020-01-01T00:00:00Z"}, True),
        ({"network": "127.0.0.0/24"}, True),
        ({"network": "127.0.0.7"}, True),
        ({"network": "127.0.0.16/28"}, True),
        ({"network": "127.0.0.0/8"}, True),
        ({"network": "198.51.100.0/24"}, False),
        ({"network": "198.51.100.7"}, False),
        ({"network": "::/0"}, False),
        ({"user_agent_contains": "PYTHON-httpx"}, True),
        ({"user_agent_contains": "lynx"}, False),
        ({"suspicious": False}, True),
    ],
)
async def test_each_selector_finds_what_it_says(served: Served, admin: Person, wanted: dict[str, Any], found: bool) -> None:
    person = await served.person()
    await served.project()
    assert (await revoke(admin, user_id=person.user_id, dry_run=True, **wanted))["matched"] == found


async def test_a_filter_without_a_selector_is_refused(admin: Person) -> None:
    for wish in ({}, {"dry_run": True}):
        assert (await admin.ask("POST", "/sessions/revoke-by-filter", json=wish)).status_code == 422


@pytest.mark.parametrize("network", ["127.0.0", "127.0.0.1:80", "nowhere", "\u0000"])
async def test_what_is_no_network_is_refused_and_not_looked_for_in_vain(admin: Person, network: str) -> None:
    answer = await admin.ask("POST", "/sessions/revoke-by-filter", json={"network": network})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/network")


async def test_a_filter_ends_nobodys_session_who_may_do_more(served: Served, admin: Person) -> None:
    name = f"guard-{uuid4().hex[:8]}"
    await admin.ask("POST", "/roles", json={"name": name, "permissions": ["minos.sessions.revoke"]})
    guard = await served.person()
    await admin.ask("PUT", f"/users/{guard.user_id}/roles/{name}")
    await served.project()
    done = await revoke(guard, user_id=admin.user_id)
    assert done["matched"] == done["refused"] >= 1
    assert done["ended"] == 0
    assert (await admin.ask("GET", "/auth/session")).status_code == 200


async def test_attack_a_filter_read_by_who_may_only_end_sessions(served: Served, admin: Person) -> None:
    name = f"guard-{uuid4().hex[:8]}"
    await admin.ask("POST", "/roles", json={"name": name, "permissions": ["minos.sessions.revoke"]})
    guard, person = await served.person(), await served.person()
    await admin.ask("PUT", f"/users/{guard.user_id}/roles/{name}")
    await served.project()
    for wish in ({"dry_run": True}, {"network": "127.0.0.0/24"}, {"user_agent_contains": "httpx"}):
        answer = await guard.ask("POST", "/sessions/revoke-by-filter", json={"user_id": person.user_id, **wish})
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied"), wish
    done = await revoke(guard, user_id=person.user_id)
    assert (done["ended"], done["sample"]) == (1, [])


async def test_a_filter_goes_on_where_it_was_left_off(served: Served, admin: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.sessions.EXAMINED", 2)
    person = await served.person()
    others = [Person(served.http, person.email) for _ in range(4)]
    for other in others:
        await other.sign_in()
    await served.project()
    ended, cursor = 0, None
    for _ in range(3):
        done = await revoke(admin, user_id=person.user_id, **({} if cursor is None else {"cursor": cursor}))
        ended, cursor = ended + done["ended"], done["next_cursor"]
    assert (ended, cursor) == (5, None)
    assert [(await each.ask("GET", "/auth/session")).status_code for each in (person, *others)] == [401] * 5


async def test_the_read_model_tells_a_limit_which_sessions_there_are(served: Served) -> None:
    person = await served.person()
    newer, elsewhere = Person(served.http, person.email), Person(served.http, person.email)
    await newer.sign_in()
    await elsewhere.sign_in(audience="orders")
    await served.project()
    world: World = served.edge.app.state.world  # type: ignore[attr-defined]  # the framework's application
    assert world.ports.open_sessions is not None
    known = await world.ports.open_sessions.of(UserId(UUID(person.user_id)), AudienceName("minos"))
    assert [str(each) for each in known] == [person.session_id, newer.session_id]
