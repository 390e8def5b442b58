"""ADM-03 over HTTP: deleting, looking, restoring."""

from typing import Any

from tests.api.conftest import PASSWORD, Person, Served


async def listed(served: Served, admin: Person, **parameters: Any) -> list[str]:
    await served.project()
    return [row["user_id"] for row in (await admin.ask("GET", "/users", params=parameters)).json()["data"]]


async def test_a_deleted_account_is_listed_where_it_is_asked_for_and_comes_back(served: Served, admin: Person) -> None:
    person = await served.person()
    answer = await admin.ask("DELETE", f"/users/{person.user_id}", params={"reason": "left"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await person.ask("GET", "/me")).status_code == 401
    unknown = await served.http.post("/api/v1/auth/login", json={"email": "nobody@example.org", "password": PASSWORD})
    deleted = await served.http.post("/api/v1/auth/login", json={"email": person.email, "password": PASSWORD})
    assert (deleted.status_code, deleted.json()) == (unknown.status_code, unknown.json())
    assert person.user_id not in await listed(served, admin)
    assert person.user_id in await listed(served, admin, status="deleted")
    seen = (await admin.ask("GET", f"/users/{person.user_id}")).json()
    assert (seen["status"], seen["restorable_until"] is not None) == ("deleted", True)
    assert (await admin.ask("POST", f"/users/{person.user_id}/restore")).status_code == 204
    assert person.user_id in await listed(served, admin, status="active")
    history = (await admin.ask("GET", f"/users/{person.user_id}/history")).json()["data"]
    assert [(row["type"], row["reason"]) for row in history[:2]] == [("user.restored.v1", None), ("user.deleted.v1", "left")]


async def test_the_last_administrator_is_not_deleted(served: Served, admin: Person) -> None:
    answer = await admin.ask("DELETE", f"/users/{admin.user_id}")
    assert (answer.status_code, answer.json()["code"]) == (409, "last_admin_protected")


async def test_a_deleted_account_is_nobody_to_act_on(served: Served, admin: Person) -> None:
    person = await served.person(sign_in=False)
    await admin.ask("DELETE", f"/users/{person.user_id}")
    for method, path in (("POST", "suspend"), ("PUT", "roles/user"), ("DELETE", "sessions")):
        answer = await admin.ask(method, f"/users/{person.user_id}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "user_not_found"), path


async def test_accounts_are_listed_by_whether_their_address_was_proved(served: Served, admin: Person) -> None:
    person = await served.person(sign_in=False)
    assert person.user_id in await listed(served, admin, verified="false")
    assert person.user_id not in await listed(served, admin, verified="true")


async def test_an_account_is_found_by_exactly_what_is_known_of_it(served: Served, admin: Person) -> None:
    person = await served.person()
    assert (await person.ask("PATCH", "/me", json={"username": "Lovelace-1815"})).status_code == 200
    for text in (person.user_id, person.email, f" {person.email}".strip().upper(), "lovelace-1815", "LOVELACE-1815"):
        assert await listed(served, admin, search=text) == [person.user_id], text
    for text in (person.email[:-1], "lovelace", "%", "@", "0198c0de-0000-7000-8000-000000000000", "nobody@example.org"):
        assert await listed(served, admin, search=text) == [], text
    await admin.ask("DELETE", f"/users/{person.user_id}")
    assert await listed(served, admin, search=person.email) == [person.user_id]
    assert await listed(served, admin, search=person.email, status="active") == []
