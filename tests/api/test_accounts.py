"""Accounts and sessions from the outside."""

import secrets
from typing import Any

import httpx
import pytest

from api.express import express_lane
from tests.api.conftest import PASSWORD, Person, Served


async def code_of(person: Person, method: str, path: str, **more: Any) -> tuple[int, str]:
    answer = await person.ask(method, path, **more)
    return answer.status_code, answer.json()["code"]


async def test_a_user_signs_in_asks_refreshes_and_signs_out(served: Served) -> None:
    person = await served.person()
    standing = (await person.ask("GET", "/auth/session")).json()
    assert standing["active"] is True
    assert (standing["user_id"], standing["session_id"], standing["roles"]) == (person.user_id, person.session_id, ["user"])
    pair = (await served.http.post("/api/v1/auth/refresh", json={"refresh_token": person.refresh})).json()
    assert pair["refresh_token"] != person.refresh
    person.keep(pair)
    assert (await person.ask("POST", "/auth/logout")).status_code == 204
    assert await code_of(person, "GET", "/auth/session") == (401, "invalid_token")


async def test_signing_out_twice_is_no_error(served: Served) -> None:
    person = await served.person()
    assert [(await person.ask("POST", "/auth/logout", json={"everywhere": True})).status_code for _ in range(2)] == [204, 204]


async def test_an_old_refresh_token_ends_the_family(served: Served) -> None:
    person = await served.person()
    first = person.refresh
    for _ in range(2):
        person.keep((await served.http.post("/api/v1/auth/refresh", json={"refresh_token": person.refresh})).json())
    answer = await served.http.post("/api/v1/auth/refresh", json={"refresh_token": first})
    assert (answer.status_code, answer.json()["code"]) == (401, "refresh_token_reused")
    assert await code_of(person, "GET", "/auth/session") == (401, "invalid_token")


async def test_unknown_wrong_and_locked_look_the_same(served: Served) -> None:
    person = await served.person(sign_in=False)
    wrong = [
        {"email": person.email, "password": "not the password"},
        {"email": "nobody@example.org", "password": PASSWORD},
        {"username": "nobody-here", "password": PASSWORD},
        *[{"email": person.email, "password": "not the password"}] * 6,
        {"email": person.email, "password": PASSWORD},
    ]
    answers = [await served.http.post("/api/v1/auth/login", json=body) for body in wrong]
    assert {(answer.status_code, answer.content) for answer in answers} == {(401, answers[0].content)}


@pytest.mark.parametrize("field", ["role", "roles", "status", "user_id", "permissions", "is_admin"])
async def test_registering_never_chooses_rights(served: Served, field: str) -> None:
    body = {"email": "climber@example.org", "password": PASSWORD, field: "admin"}
    answer = await served.http.post("/api/v1/auth/register", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, f"/{field}")


@pytest.mark.parametrize("field", ["roles", "status", "email", "user_id"])
async def test_changing_oneself_never_chooses_rights(served: Served, field: str) -> None:
    person = await served.person()
    assert (await person.ask("PATCH", "/me", json={field: "admin"})).status_code == 422


async def test_a_taken_address_is_refused(served: Served) -> None:
    person = await served.person(sign_in=False)
    answer = await served.http.post("/api/v1/auth/register", json={"email": person.email.upper(), "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")


async def test_the_same_key_and_body_register_once(served: Served) -> None:
    headers = {"Idempotency-Key": secrets.token_urlsafe(24)}
    body = {"email": "once@example.org", "password": PASSWORD}
    first, again = [await served.http.post("/api/v1/auth/register", json=body, headers=headers) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()


async def test_the_same_key_with_another_body_is_refused(served: Served) -> None:
    headers = {"Idempotency-Key": secrets.token_urlsafe(24)}
    bodies = [{"email": f"other{n}@example.org", "password": PASSWORD} for n in range(2)]
    _, second = [await served.http.post("/api/v1/auth/register", json=body, headers=headers) for body in bodies]
    assert (second.status_code, second.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("key", ["short", "x" * 256, "a b" * 10])
async def test_a_weak_idempotency_key_is_refused(served: Served, key: str) -> None:
    answer = await served.http.post(
        "/api/v1/auth/register", json={"email": "weak@example.org", "password": PASSWORD}, headers={"Idempotency-Key": key}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")


async def test_a_new_password_ends_every_other_session(served: Served) -> None:
    person = await served.person()
    other = Person(served.http, person.email)
    await other.sign_in()
    wanted = {"current_password": PASSWORD, "new_password": "quite another long phrase"}
    answer = await person.ask("POST", "/auth/password/change", json=wanted)
    assert answer.status_code == 200
    assert await code_of(other, "GET", "/auth/session") == (401, "invalid_token")
    assert await code_of(person, "GET", "/auth/session") == (401, "invalid_token")
    person.keep(answer.json())
    assert (await person.ask("GET", "/auth/session")).status_code == 200


async def test_a_refused_new_password_points_at_its_field(served: Served) -> None:
    person = await served.person()
    answer = await person.ask("POST", "/auth/password/change", json={"current_password": PASSWORD, "new_password": "short"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/new_password")


async def test_proving_oneself_again_gives_a_fresh_token_on_the_same_session(served: Served) -> None:
    person = await served.person()
    answer = await person.ask("POST", "/auth/reauthenticate", json={"password": PASSWORD})
    assert answer.status_code == 200
    person.access = answer.json()["access_token"]
    assert (await person.ask("GET", "/auth/session")).json()["session_id"] == person.session_id


async def test_a_change_of_profile_answers_with_what_is_now_so(served: Served) -> None:
    person = await served.person()
    answer = await person.ask("PATCH", "/me", json={"name": "Ada", "username": f"ada{secrets.token_hex(4)}"})
    assert (answer.status_code, answer.json()["name"]) == (200, "Ada")
    assert "minos-stream-version" in answer.headers
    cleared = (await person.ask("PATCH", "/me", json={"name": None})).json()
    assert (cleared["name"], cleared["username"]) == (None, answer.json()["username"])


async def test_anonymous_answers_tell_no_stream_version(served: Served) -> None:
    person = await served.person()
    bodies = {
        "register": {"email": "quiet@example.org", "password": PASSWORD},
        "login": {"email": person.email, "password": PASSWORD},
        "refresh": {"refresh_token": person.refresh},
    }
    answers = [await served.http.post(f"/api/v1/auth/{name}", json=body) for name, body in bodies.items()]
    assert [answer.status_code for answer in answers] == [201, 200, 200]
    assert not any("minos-stream-version" in answer.headers for answer in answers)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", "/me/sessions", None),
        ("POST", "/auth/password/change", {"current_password": PASSWORD, "new_password": "quite another long phrase"}),
        ("POST", "/auth/reauthenticate", {"password": PASSWORD}),
    ],
)
async def test_an_answer_with_tokens_tells_the_version_of_the_session_they_are_of(
    served: Served, method: str, path: str, body: dict[str, str] | None
) -> None:
    person = await served.person()
    answer = await person.ask(method, path, **({} if body is None else {"json": body}))
    assert answer.status_code == 200
    world = served.edge.app.state.world  # type: ignore[attr-defined]  # the framework's application
    stream, version = world.versions.read(f"user:{person.user_id}", answer.headers["minos-stream-version"])
    written = await world.ports.store.read_stream(stream)
    assert (stream, version) == (f"session-{person.session_id}", written[-1].version)
    assert version > 2  # a start and the first token are every session's


async def test_my_sessions_can_be_asked_to_show_the_end_of_the_others(served: Served) -> None:
    person = await served.person()
    await Person(served.http, person.email).sign_in()
    ended = await person.ask("DELETE", "/me/sessions")
    person.keep(ended.json())
    await served.project()
    answer = await person.ask("GET", "/me/sessions", headers={"Minos-Wait-For": ended.headers["minos-stream-version"]})
    assert [(row["current"], row["status"]) for row in answer.json()["data"]].count((True, "active")) == 1
    assert {row["status"] for row in answer.json()["data"] if not row["current"]} == {"ended"}


async def test_one_may_end_a_session_of_ones_own(served: Served) -> None:
    person = await served.person()
    other = Person(served.http, person.email)
    await other.sign_in()
    assert (await person.ask("DELETE", f"/me/sessions/{other.session_id}")).status_code == 204
    assert await code_of(other, "GET", "/me") == (401, "invalid_token")


async def test_ending_all_other_sessions_keeps_this_one(served: Served) -> None:
    person = await served.person()
    other = Person(served.http, person.email)
    await other.sign_in()
    person.keep((await person.ask("DELETE", "/me/sessions")).json())
    assert (await person.ask("GET", "/me")).status_code == 200
    assert await code_of(other, "GET", "/me") == (401, "invalid_token")


async def test_bootstrapping_again_is_gone(served: Served, admin: Person) -> None:
    body = {"code": served.code, "email": "second@example.org", "password": PASSWORD}
    answer = await served.http.post("/api/v1/bootstrap", json=body)
    assert (answer.status_code, answer.json()["code"]) == (410, "bootstrap_closed")


ORDINARY = {"If-None-Match": '"another"'}
"""A condition, which the express lane leaves to the ordinary routes."""


def seen(answer: httpx.Response) -> tuple[int, dict[str, str]]:
    return answer.status_code, {name: value for name, value in answer.headers.items() if name != "x-request-id"}


@pytest.mark.parametrize("path", ["/api/v1/auth/session", "/.well-known/jwks.json"])
async def test_the_express_lane_answers_as_the_ordinary_routes_do(served: Served, path: str) -> None:
    person = await served.person()
    headers = {"Authorization": f"Bearer {person.access}"}
    quick = await served.http.get(path, headers=headers)
    ordinary = await served.http.get(path, headers=headers | ORDINARY)
    assert (seen(quick), quick.content) == (seen(ordinary), ordinary.content)


async def test_an_express_refresh_answers_as_the_ordinary_one_does(served: Served) -> None:
    person = await served.person()
    body = {"refresh_token": person.refresh}
    quick = await served.http.post("/api/v1/auth/refresh", json=body)
    ordinary = await served.http.post("/api/v1/auth/refresh", json=body, headers=ORDINARY)  # a repeat within the grace
    assert seen(quick) == seen(ordinary)
    assert quick.json().keys() == ordinary.json().keys()
    assert quick.json()["refresh_token"] == ordinary.json()["refresh_token"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"refresh_token": 7}', b'{"refresh_token": "mrt_x", "role": "admin"}', b"\xff"])
async def test_an_express_refresh_refuses_as_the_ordinary_one_does(served: Served, body: bytes) -> None:
    json = {"Content-Type": "application/json"}
    quick = await served.http.post("/api/v1/auth/refresh", content=body, headers=json)
    ordinary = await served.http.post("/api/v1/auth/refresh", content=body, headers=json | ORDINARY)
    assert (seen(quick), quick.content) == (seen(ordinary), ordinary.content)
    assert 400 <= quick.status_code < 500


async def test_an_express_login_answers_as_the_ordinary_one_does(served: Served) -> None:
    person = await served.person(sign_in=False)
    body = {"email": person.email, "password": PASSWORD, "device_name": "laptop"}
    quick = await served.http.post("/api/v1/auth/login", json=body)
    ordinary = await served.http.post("/api/v1/auth/login", json=body, headers=ORDINARY)
    assert quick.status_code == 200
    assert shape(quick) == shape(ordinary)
    assert quick.json()["session_id"] != ordinary.json()["session_id"]


def shape(answer: httpx.Response) -> tuple[int, set[str], dict[str, type]]:
    """Tokens differ in value and, by the digits of their ids, in length."""
    return answer.status_code, set(answer.headers), {name: type(value) for name, value in answer.json().items()}


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"\xff", b'{"password": "a wrong password"}', b'{"email": "nobody@example.org", "password": 7}',
        b'{"email": "nobody@example.org", "password": "a wrong password"}',
        b'{"email": "nobody@example.org", "password": "a wrong password", "role": "admin"}',
        b'{"email": "nobody@example.org", "password": "a wrong password", "audience": "unheard-of"}',
    ],
)  # fmt: skip
async def test_an_express_login_refuses_as_the_ordinary_one_does(served: Served, body: bytes) -> None:
    json = {"Content-Type": "application/json"}
    quick = await served.http.post("/api/v1/auth/login", content=body, headers=json)
    ordinary = await served.http.post("/api/v1/auth/login", content=body, headers=json | ORDINARY)
    assert (seen(quick), quick.content) == (seen(ordinary), ordinary.content)
    assert 400 <= quick.status_code < 500


async def test_everything_on_the_express_lane_is_held_against_its_route(served: Served) -> None:
    lane = express_lane(served.edge.app.state.world)  # type: ignore[attr-defined]  # the framework's application
    assert set(lane) == {
        ("GET", "/api/v1/auth/check"),
        ("GET", "/api/v1/auth/session"),
        ("GET", "/.well-known/jwks.json"),
        ("POST", "/api/v1/auth/login"),
        ("POST", "/api/v1/auth/refresh"),
        ("POST", "/oauth2/token"),
        ("POST", "/oauth2/introspect"),
    }


STEERING = ["Ada\u0000", "\u001b[2JAda", "Ada\n", "A\u009bda", "Ada\r\nRoot"]
TURNING = [f"Ada{chr(control)}nimda" for control in (*range(0x2028, 0x202F), *range(0x2066, 0x206A))]
"""Separators that end a line for some readers, and controls that turn the direction of what follows."""


@pytest.mark.parametrize("name", [*STEERING, *TURNING], ids=ascii)
async def test_a_name_that_could_steer_a_terminal_or_mislead_its_reader_is_refused(served: Served, name: str) -> None:
    body = {"email": "steering@example.org", "password": PASSWORD, "name": name}
    registered = await served.http.post("/api/v1/auth/register", json=body)
    login = await served.http.post("/api/v1/auth/login", json={"email": "a@example.org", "password": PASSWORD, "device_name": name})
    changed = await (await served.person()).ask("PATCH", "/me", json={"name": name})
    for answer, pointer in ((registered, "/name"), (login, "/device_name"), (changed, "/name")):
        assert answer.status_code == 422
        assert [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]] == [(pointer, "pattern")]


@pytest.mark.parametrize("text", [STEERING[1], STEERING[3], TURNING[4]], ids=ascii)
async def test_nor_is_one_of_a_key_a_machine_a_role_or_an_audience(served: Served, admin: Person, text: str) -> None:
    asked = (
        await admin.ask("POST", "/me/api-keys", json={"name": text}),
        await admin.ask("POST", "/service-accounts", json={"name": text, "audiences": ["orders"], "permissions": []}),
        await admin.ask("POST", "/roles", json={"name": "steering", "permissions": [], "description": text}),
        await admin.ask("POST", "/audiences", json={"name": "steering", "description": text}),
    )
    for answer in asked:
        assert (answer.status_code, [fault["code"] for fault in answer.json()["errors"]]) == (422, ["pattern"])


async def test_names_in_any_script_are_taken(served: Served) -> None:
    body = {"email": "any-script@example.org", "password": PASSWORD, "name": "Ада 愛 Ní Lóbhlais-O’Brien 👩‍💻 علی\u200cرضا"}
    assert (await served.http.post("/api/v1/auth/register", json=body)).status_code == 201
