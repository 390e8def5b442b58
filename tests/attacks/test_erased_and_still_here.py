"""Who was erased is nobody: nothing that was given to them, or mailed to them, opens anything, and their address begins anew."""

from tests.api.conftest import PASSWORD, Served
from tests.api.test_erasure import erased


async def test_nothing_that_the_erased_were_given_opens_anything(served: Served) -> None:
    person = await served.person()
    made = await person.ask("POST", "/me/api-keys", json={"name": "laptop", "permissions": []})
    assert made.status_code == 201, made.text
    device = (await person.sign_in()).get("device_token")
    user_id = await erased(served, person)

    asked = {
        "an access token": await person.ask("GET", "/me"),
        "a refresh token": await served.http.post("/api/v1/auth/refresh", json={"refresh_token": person.refresh}),
        "an API key": await served.http.get("/api/v1/users", headers={"X-API-Key": made.json()["api_key"]}),
        "a password": await served.http.post("/api/v1/auth/login", json={"email": person.email, "password": PASSWORD}),
        "a known device": await served.http.post(
            "/api/v1/auth/login", json={"email": person.email, "password": PASSWORD, "device_token": device}
        ),
        "an id": await served.http.post("/api/v1/auth/login", json={"username": str(user_id), "password": PASSWORD}),
    }
    assert {what: answer.status_code for what, answer in asked.items()} == dict.fromkeys(asked, 401)
    unknown = await served.http.post("/api/v1/auth/login", json={"email": "nobody@example.org", "password": PASSWORD})
    assert asked["a password"].json() == unknown.json()


async def test_whoever_registers_the_address_of_one_who_was_erased_gets_nothing_of_theirs(served: Served) -> None:
    person = await served.person()
    await person.ask("PATCH", "/me", json={"name": "Ada Lovelace", "username": "ada-of-old"})
    old = person.user_id
    await erased(served, person)
    answer = await served.http.post("/api/v1/auth/register", json={"email": person.email, "password": PASSWORD, "username": "ada-of-old"})
    assert answer.status_code == 201, answer.text
    assert answer.json()["user_id"] != old
    await person.sign_in()
    await served.project()
    me = (await person.ask("GET", "/me")).json()
    assert (me["name"], me["user_id"]) == (None, answer.json()["user_id"])
    export = (await person.ask("GET", "/me/export")).text
    assert old not in export
    assert "Lovelace" not in export
