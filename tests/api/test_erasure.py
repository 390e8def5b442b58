"""Asking to be erased and taking one's data along, over HTTP."""

from typing import Any

from tests.api.conftest import Person, Served


async def listed(served: Served, admin: Person, person: Person) -> dict[str, Any] | None:
    await served.project()
    rows = (await admin.ask("GET", "/erasures")).json()["data"]
    return next((row for row in rows if row["user_id"] == person.user_id), None)


async def test_asking_is_seen_by_administrators_and_can_be_withdrawn(served: Served, admin: Person) -> None:
    person = await served.person()
    answer = await person.ask("POST", "/me/erase")
    assert answer.status_code == 202
    due_at = answer.json()["due_at"]
    assert (await person.ask("GET", "/me")).json()["erasure_due_at"] == due_at
    row = await listed(served, admin, person)
    assert row is not None
    assert (row["status"], row["due_at"]) == ("asked", due_at)
    assert (await person.ask("DELETE", "/me/erase")).status_code == 204
    assert await listed(served, admin, person) is None
    answer = await person.ask("DELETE", "/me/erase")
    assert (answer.status_code, answer.json()["code"]) == (409, "erasure_not_asked")
    history = (await person.ask("GET", "/me/history")).json()["data"]
    assert [row["type"] for row in history[:2]] == ["erasure.withdrawn.v1", "erasure.asked.v1"]


async def test_the_last_administrator_does_not_ask(admin: Person) -> None:
    answer = await admin.ask("POST", "/me/erase")
    assert (answer.status_code, answer.json()["code"]) == (409, "last_admin_protected")


async def test_an_export_has_all_that_is_known_of_its_owner_and_nothing_of_others(served: Served) -> None:
    person, other = await served.person(), await served.person()
    await person.ask("PATCH", "/me", json={"name": "Ada Lovelace"})
    await person.ask("PATCH", "/me/attributes", json={"attributes": {"motto": "onwards"}})
    await served.project()
    answer = await person.ask("GET", "/me/export")
    assert answer.headers["content-disposition"] == 'attachment; filename="account.json"'
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert (told["profile"]["email"], told["profile"]["name"]) == (person.email, "Ada Lovelace")
    assert told["profile"]["attributes"] == {"motto": "onwards"}
    assert [row["session_id"] for row in told["sessions"]] == [person.session_id]
    assert "user.registered.v1" in {row["type"] for row in told["history"]}
    assert (told["complete"], told["api_keys"], told["factors"]["data"]) == (True, [], [])
    assert other.email not in answer.text
    assert other.user_id not in answer.text


async def test_an_export_that_is_not_whole_says_so(served: Served, monkeypatch: Any) -> None:
    monkeypatch.setattr("api.export.MOST_HISTORY", 1)
    monkeypatch.setattr("api.export.PAGE", 1)
    person = await served.person()
    await served.project()
    told = (await person.ask("GET", "/me/export")).json()
    assert (told["complete"], len(told["history"])) == (False, 1)
