"""Asking about a moment of the past over HTTP."""

from typing import Any

import httpx
import pytest

from tests.api.conftest import Person, Served


async def ask(person: Person, **question: Any) -> dict[str, Any]:
    answer = await person.ask("GET", "/audit/at", params=question)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_what_somebody_could_do_changes_with_the_moment_and_says_why(served: Served, admin: Person) -> None:
    person = await served.person()
    await served.project()
    before = await ask(admin, what_can=f"user:{person.user_id}")
    await admin.ask("PUT", f"/users/{person.user_id}/roles/admin")
    await served.project()
    after = await ask(admin, what_can=f"user:{person.user_id}")
    await admin.ask("DELETE", f"/users/{person.user_id}/roles/admin")
    await served.project()
    then = await ask(admin, time=f"position:{after['position']}", what_can=f"user:{person.user_id}")
    assert (before["standing"], before["data"]) == ("active", [])
    assert [(row["id"], row["permissions"]) for row in then["data"]] == [("admin", ["*"])]
    assert (await ask(admin, what_can=f"user:{person.user_id}"))["data"] == []
    cited = then["data"][0]["cites"][0]
    (event,) = (await admin.ask("GET", "/audit/events", params={"type_prefix": "user.role_granted", "limit": 1})).json()["data"]
    assert (cited["position"], cited["event_id"]) == (event["position"], event["event_id"])


async def test_an_account_that_came_later_was_not_there(served: Served, admin: Person) -> None:
    await served.project()
    position = (await ask(admin, who_has="admin"))["position"]
    person = await served.person()
    await served.project()
    then = await ask(admin, time=f"position:{position}", what_can=f"user:{person.user_id}")
    assert (then["standing"], then["data"]) == ("absent", [])


async def test_whoever_is_suspended_could_do_nothing_and_still_had_the_role(served: Served, admin: Person) -> None:
    person = await served.person()
    await admin.ask("PUT", f"/users/{person.user_id}/roles/admin")
    await admin.ask("POST", f"/users/{person.user_id}/suspend", json={"reason": "abuse"})
    await served.project()
    able = await ask(admin, who_can="minos.users.read", limit=200)
    holders = {row["user_id"]: row["standing"] for row in (await ask(admin, who_has="admin", limit=200))["data"]}
    assert person.user_id not in {row["id"] for row in able["data"]}
    assert admin.user_id in {row["id"] for row in able["data"]}
    assert (holders[person.user_id], holders[admin.user_id]) == ("suspended", "active")
    await admin.ask("POST", f"/users/{person.user_id}/reinstate")
    await admin.ask("DELETE", f"/users/{person.user_id}/roles/admin")


async def test_a_machine_counts_as_what_it_is(served: Served, admin: Person) -> None:
    await served.machine("minos.roles.read")
    await served.project()
    rows = (await ask(admin, who_can="minos.roles.read", limit=200))["data"]
    assert ("service_account", ["minos"]) in [(row["kind"], row["audiences"]) for row in rows]


async def test_sessions_of_then_are_those_that_lived(served: Served, admin: Person) -> None:
    person = await served.person()
    await served.project()
    during = await ask(admin, sessions_of=person.user_id)
    await person.ask("POST", "/auth/logout")
    await served.project()
    assert [row["session_id"] for row in during["data"]] == [person.session_id]
    assert (await ask(admin, sessions_of=person.user_id))["data"] == []
    again = await ask(admin, time=f"position:{during['position']}", sessions_of=person.user_id)
    assert [row["session_id"] for row in again["data"]] == [person.session_id]


async def test_pages_are_of_one_moment_whatever_happens_meanwhile(served: Served, admin: Person) -> None:
    made = [await served.person(sign_in=False) for _ in range(3)]
    await served.project()
    found: list[str] = []
    page = await ask(admin, who_has="user", limit=2)
    position = page["position"]
    while True:
        found += [row["user_id"] for row in page["data"]]
        if page["next_cursor"] is None:
            break
        await served.person(sign_in=False)
        await served.project()
        page = await ask(admin, who_has="user", limit=2 if len(found) < 4 else 200, cursor=page["next_cursor"])
        assert page["position"] == position
    assert len(found) == len(set(found))
    assert {person.user_id for person in made} <= set(found)
    everybody = await ask(admin, time=f"position:{position}", who_has="user", limit=200)
    assert {row["user_id"] for row in everybody["data"]} <= set(found)
    assert len(everybody["data"]) == min(200, len(found))


async def test_every_question_is_in_the_log(served: Served, admin: Person) -> None:
    await served.project()
    asked = await ask(admin, who_can="notes.read")
    await served.project()
    (event,) = (await admin.ask("GET", "/audit/events", params={"type_prefix": "audit.asked", "limit": 1})).json()["data"]
    assert event["actor"] == f"user:{admin.user_id}"
    assert event["position"] > asked["position"]


@pytest.mark.parametrize(
    ("parameters", "pointers"),
    [
        ({}, ["?who_can", "?what_can", "?who_has", "?sessions_of"]),
        ({"who_can": "a.b", "who_has": "admin"}, ["?who_can", "?what_can", "?who_has", "?sessions_of"]),
        ({"who_can": "A b"}, ["?who_can"]),
        ({"who_has": "x y"}, ["?who_has"]),
        ({"what_can": "client:"}, ["?what_can"]),
        ({"sessions_of": "nobody"}, ["?sessions_of"]),
        ({"who_can": "a.b", "time": "yesterday"}, ["?time"]),
        ({"who_can": "a.b", "time": "2026-03-01"}, ["?time"]),
        ({"who_can": "a.b", "time": "2026-03-01T12:00:00"}, ["?time"]),
        ({"who_can": "a.b", "time": "position:-1"}, ["?time"]),
        ({"who_can": "a.b", "time": "position:٣"}, ["?time"]),
    ],
)
async def test_what_is_no_question_is_refused_by_its_name(admin: Person, parameters: dict[str, str], pointers: list[str]) -> None:
    answer = await admin.ask("GET", "/audit/at", params=parameters)
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == pointers


async def test_a_position_the_log_does_not_reach_is_not_there(admin: Person) -> None:
    answer = await admin.ask("GET", "/audit/at", params={"who_can": "a.b", "time": "position:999999999"})
    assert await told(answer) == (404, "no_such_position")
