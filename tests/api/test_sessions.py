"""Sessions as their owners and administrators see them."""

from datetime import datetime
from typing import Any

from tests.api.conftest import Person, Served


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
