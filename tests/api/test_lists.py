"""Lists: walked with cursors of ours, as old as they say, waiting for one's own write."""

import asyncio
import secrets
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from tests.api.conftest import Person, Served


async def walk(person: Person, path: str, **parameters: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        answer = await person.ask("GET", path, params={**parameters, **({"cursor": cursor} if cursor else {})})
        assert answer.status_code == 200, answer.text
        found += answer.json()["data"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return found


async def told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def people(served: Served, number: int) -> Sequence[Person]:
    made = [await served.person(sign_in=False) for _ in range(number)]
    await served.project()
    return made


async def test_walking_a_list_finds_everything_once(served: Served, admin: Person) -> None:
    made = await people(served, 5)
    found = [row["user_id"] for row in await walk(admin, "/users", limit=2)]
    assert len(found) == len(set(found))
    assert {person.user_id for person in made} <= set(found)


async def test_a_list_says_how_old_it_is(served: Served, admin: Person) -> None:
    await people(served, 1)
    answer = await admin.ask("GET", "/users")
    assert int(answer.headers["minos-position"]) > 0
    assert int(answer.headers["minos-age-ms"]) >= 0


@pytest.mark.parametrize("cursor", ["", "nonsense", "AAAA", "é", "a" * 2_000])
async def test_a_made_up_cursor_is_refused(served: Served, admin: Person, cursor: str) -> None:
    assert await told(await admin.ask("GET", "/users", params={"cursor": cursor})) == (400, "cursor_invalid")


async def test_a_cursor_is_worth_nothing_on_another_list_filter_or_caller(served: Served, admin: Person) -> None:
    await people(served, 2)
    cursor = (await admin.ask("GET", "/users", params={"limit": 1})).json()["next_cursor"]
    elsewhere = await admin.ask("GET", "/audit/events", params={"cursor": cursor})
    filtered = await admin.ask("GET", "/users", params={"cursor": cursor, "status": "active"})
    deputy = await served.person()
    await admin.ask("PUT", f"/users/{deputy.user_id}/roles/admin")
    stolen = await deputy.ask("GET", "/users", params={"cursor": cursor})
    assert {await told(answer) for answer in (elsewhere, filtered, stolen)} == {(400, "cursor_invalid")}
    await admin.ask("DELETE", f"/users/{deputy.user_id}/roles/admin")


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "1.5", "99999999999999999999"])
async def test_a_limit_out_of_bounds_is_refused(served: Served, admin: Person, limit: str) -> None:
    answer = await admin.ask("GET", "/users", params={"limit": limit})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "?limit")


async def test_a_list_waits_for_a_write_of_ones_own(served: Served, admin: Person) -> None:
    person = await served.person()
    written = await admin.ask("POST", f"/users/{person.user_id}/suspend", json={"reason": "abuse", "note": "spam"})
    token = written.headers["minos-stream-version"]

    async def later() -> None:
        await asyncio.sleep(0.05)
        await served.project()

    asking = admin.ask("GET", "/users", params={"status": "suspended"}, headers={"Minos-Wait-For": token})
    answer, _ = await asyncio.gather(asking, later())
    assert person.user_id in {row["user_id"] for row in answer.json()["data"]}


@pytest.mark.parametrize("token", ["x", "user-1:5", "A" * 100])
async def test_a_made_up_stream_version_is_refused(served: Served, admin: Person, token: str) -> None:
    answer = await admin.ask("GET", "/users", headers={"Minos-Wait-For": token})
    assert await told(answer) == (400, "stream_version_invalid")


async def test_anothers_stream_version_is_refused(served: Served, admin: Person) -> None:
    person = await served.person()
    token = (await person.ask("PATCH", "/me", json={"name": "Ada"})).headers["minos-stream-version"]
    answer = await admin.ask("GET", "/users", headers={"Minos-Wait-For": token})
    assert await told(answer) == (400, "stream_version_invalid")


async def test_no_more_than_four_of_ones_requests_wait(served: Served) -> None:
    person = await served.person()
    token = (await person.ask("PATCH", "/me", json={"name": secrets.token_hex(4)})).headers["minos-stream-version"]
    ask = [person.ask("GET", "/me/sessions", headers={"Minos-Wait-For": token}) for _ in range(6)]
    answers = await asyncio.gather(*ask)
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [200, 200, 200, 200, 429, 429]
    assert all("retry-after" in answer.headers for answer in answers if answer.status_code == 429)
    await served.project()


async def test_my_sessions_show_which_one_this_is(served: Served) -> None:
    person = await served.person()
    other = Person(served.http, person.email)
    await other.sign_in(device_name="Ada's telephone")
    await served.project()
    rows = {row["session_id"]: row for row in await walk(person, "/me/sessions", limit=1)}
    assert rows[person.session_id]["current"] is True
    assert (rows[other.session_id]["current"], rows[other.session_id]["device_name"]) == (False, "Ada's telephone")


async def test_no_list_shows_a_session_as_active_that_was_signed_out_everywhere(served: Served, admin: Person) -> None:
    person = await served.person()
    await served.project()
    await admin.ask("DELETE", f"/users/{person.user_id}/sessions")
    rows = await walk(admin, f"/users/{person.user_id}/sessions")
    assert [row["status"] for row in rows] == ["ended"]
    assert await walk(admin, f"/users/{person.user_id}/sessions", status="active") == []


async def test_my_history_does_not_say_which_administrator_it_was(served: Served, admin: Person) -> None:
    person = await served.person()
    await admin.ask("POST", "/roles", json={"name": "clerk", "permissions": ["desk.read"]})
    await admin.ask("PUT", f"/users/{person.user_id}/roles/clerk")
    await served.project()
    mine = await walk(person, "/me/history")
    granted = next(row for row in mine if row["type"] == "user.role_granted.v1")
    assert (granted["actor"], granted["role"]) == ("administrator", "clerk")
    theirs = await walk(admin, f"/users/{person.user_id}/history")
    assert f"user:{admin.user_id}" in {row["actor"] for row in theirs}


async def test_roles_keys_and_events_are_listed(served: Served, admin: Person) -> None:
    await served.project()
    assert {"admin", "user"} <= {row["role"] for row in await walk(admin, "/roles", limit=1)}
    assert {"active", "published"} <= {row["stage"] for row in await walk(admin, "/signing-keys")}
    assert (await admin.ask("GET", "/roles/admin")).json()["permissions"] == ["*"]
    assert admin.user_id in {row["user_id"] for row in await walk(admin, "/roles/admin/holders")}
    assert await told(await admin.ask("GET", "/roles/nothing")) == (404, "role_not_found")


async def test_events_are_found_by_what_is_asked_of_them(served: Served, admin: Person) -> None:
    person = await served.person()
    await served.project()
    rows = await walk(admin, "/audit/events", user_id=person.user_id, type_prefix="user", since="2020-01-01T00:00:00Z")
    assert {row["type"] for row in rows} == {"user.registered.v1", "user.password_set.v1"}
    assert await walk(admin, "/audit/events", until="1960-01-01T00:00:00+01:00") == []


@pytest.mark.parametrize("since", ["yesterday", "2020-01-01T00:00:00", "1700000000", "2020-13-01T00:00:00Z"])
async def test_a_time_that_is_none_is_refused(served: Served, admin: Person, since: str) -> None:
    answer = await admin.ask("GET", "/audit/events", params={"since": since})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "?since")


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_a_time_at_the_end_of_time_is_no_error(served: Served, admin: Person, moment: str) -> None:
    answer = await admin.ask("GET", "/audit/events", params={"since": moment, "until": moment})
    assert answer.status_code == 200


async def test_the_settings_in_force_hide_secrets(served: Served, admin: Person) -> None:
    answer = await admin.ask("GET", "/settings")
    rows = {row["name"]: row for row in answer.json()["data"]}
    assert rows["MINOS_AUDIENCES"]["value"] == "orders,reports"
    assert (rows["MINOS_DATABASE_URL"]["value"], rows["MINOS_DATABASE_URL"]["secret"]) == ("(hidden)", True)
    assert served.database.app_url not in answer.text


async def test_read_models_say_how_far_they_are(served: Served, admin: Person) -> None:
    await served.project()
    rows = (await admin.ask("GET", "/projections")).json()["data"]
    assert {"users", "sessions", "roles", "signing_keys", "audit_events"} <= {row["name"] for row in rows}
    assert all(row["parked"] == 0 and row["serving"] for row in rows)
