"""Comparing two moments of the past over HTTP."""

from typing import Any

import pytest

from tests.api.conftest import Person, Served


async def compare(person: Person, begin: int, end: int | None = None, **more: Any) -> dict[str, Any]:
    to = "now" if end is None else f"position:{end}"
    answer = await person.ask("GET", "/audit/diff", params={"from": f"position:{begin}", "to": to, **more})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def position(served: Served, admin: Person) -> int:
    await served.project()
    answer = await admin.ask("GET", "/audit/at", params={"who_has": "admin"})
    found: int = answer.json()["position"]
    return found


def told(page: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    return [(row["turned"], row["id"], row["what"], row["name"]) for row in page["data"]]


async def test_it_says_who_gained_and_lost_what_by_which_events_and_not_what_changed_back(served: Served, admin: Person) -> None:
    person, other = await served.person(sign_in=False), await served.person(sign_in=False)
    await admin.ask("PUT", f"/users/{other.user_id}/roles/admin")
    before = await position(served, admin)
    await admin.ask("PUT", f"/users/{person.user_id}/roles/admin")
    await admin.ask("DELETE", f"/users/{person.user_id}/roles/admin")
    await admin.ask("DELETE", f"/users/{other.user_id}/roles/admin")
    await admin.ask("POST", f"/users/{person.user_id}/suspend", json={"reason": "abuse"})
    await served.project()
    page = await compare(admin, before)
    assert told(page) == [("lost", other.user_id, "role", "admin"), ("gained", person.user_id, "suspended", "")]
    events = (await admin.ask("GET", "/audit/events", params={"type_prefix": "user", "limit": 2})).json()["data"]
    cited = [(mark["position"], mark["event_id"]) for row in page["data"] for mark in row["cites"]]
    assert sorted(cited) == sorted((event["position"], event["event_id"]) for event in events)


async def test_its_pages_are_of_the_same_two_moments_whatever_happens_meanwhile(served: Served, admin: Person) -> None:
    before = await position(served, admin)
    made = [await served.person(sign_in=False) for _ in range(3)]
    await served.project()
    page = await compare(admin, before, limit=1)
    end, found = page["last"]["position"], told(page)
    while page["next_cursor"] is not None:
        found_before = len(found)
        if found_before == 1:
            await served.person(sign_in=False)
            await served.project()
        answer = await admin.ask(
            "GET", "/audit/diff", params={"from": f"position:{before}", "to": "now", "limit": 1, "cursor": page["next_cursor"]}
        )
        page = answer.json()
        assert page["last"]["position"] == end
        found += told(page)
    assert found == [("gained", person.user_id, "role", "user") for person in made]


async def test_comparing_is_written_to_the_log_once_and_before_the_answer(served: Served, admin: Person) -> None:
    before = await position(served, admin)
    page = await compare(admin, before)
    await served.project()
    (event,) = (await admin.ask("GET", "/audit/events", params={"type_prefix": "audit.asked", "limit": 1})).json()["data"]
    assert event["actor"] == f"user:{admin.user_id}"
    assert event["position"] > page["last"]["position"]


@pytest.mark.parametrize(
    ("parameters", "pointers"),
    [
        ({"from": "now", "to": "position:1"}, ["?from"]),
        ({"from": "yesterday"}, ["?from"]),
        ({"from": "position:1", "to": "2026-03-01"}, ["?to"]),
    ],
)
async def test_what_cannot_be_compared_is_refused_by_its_name(admin: Person, parameters: dict[str, str], pointers: list[str]) -> None:
    answer = await admin.ask("GET", "/audit/diff", params=parameters)
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == pointers


async def test_attack_nobody_compares_without_the_right_nor_by_anothers_cursor(served: Served, admin: Person) -> None:
    before = await position(served, admin)
    for _ in range(2):
        await served.person(sign_in=False)
    await served.project()
    person = await served.person()
    question = {"from": f"position:{before}"}
    refused = await person.ask("GET", "/audit/diff", params=question)
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    cursor = (await compare(admin, before, limit=1))["next_cursor"]
    await admin.ask("PUT", f"/users/{person.user_id}/roles/admin")
    stolen = await person.ask("GET", "/audit/diff", params={**question, "cursor": cursor})
    assert (stolen.status_code, stolen.json()["code"]) == (400, "cursor_invalid")
    await admin.ask("DELETE", f"/users/{person.user_id}/roles/admin")
