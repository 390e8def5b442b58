"""Asking twice, and reading what one just wrote."""

import asyncio
import secrets

import httpx

from tests.e2e.people import PASSWORD, Person, address, register


def key() -> dict[str, str]:
    return {"Idempotency-Key": secrets.token_urlsafe(24)}


async def test_registering_twice_with_one_key_makes_one_account(http: httpx.AsyncClient, admin: Person) -> None:
    wish, repeat = {"email": address(), "password": PASSWORD}, key()
    answers = [await http.post("/api/v1/auth/register", json=wish, headers=repeat) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    other = await http.post("/api/v1/auth/register", json=wish | {"email": address()}, headers=repeat)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_registering_at_the_same_moment_with_one_key_makes_one_account(http: httpx.AsyncClient, admin: Person) -> None:
    wish, repeat = {"email": address(), "password": PASSWORD}, key()

    async def registered() -> httpx.Response:
        while (answer := await http.post("/api/v1/auth/register", json=wish, headers=repeat)).status_code == 503:
            await asyncio.sleep(0.1)  # as it is told to, where there is more to hash than the machine has time for
        return answer

    answers = await asyncio.gather(*(registered() for _ in range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["user_id"] for answer in answers}) == 1


async def test_one_address_asked_for_by_many_at_once_has_one_owner(http: httpx.AsyncClient, admin: Person) -> None:
    wish = {"email": address(), "password": PASSWORD}
    answers = await asyncio.gather(*(http.post("/api/v1/auth/register", json=wish) for _ in range(16)))
    assert [answer.status_code for answer in answers].count(201) == 1
    assert {answer.json()["code"] for answer in answers if answer.status_code != 201} <= {"email_taken", "overloaded"}
    assert (await Person(http, wish["email"]).sign_in()).user_id == next(a.json()["user_id"] for a in answers if a.status_code == 201)


async def test_weak_key_is_refused_before_anything_happens(http: httpx.AsyncClient, admin: Person) -> None:
    wish = {"email": address(), "password": PASSWORD}
    answer = await http.post("/api/v1/auth/register", json=wish, headers={"Idempotency-Key": "short"})
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")
    assert (await http.post("/api/v1/auth/register", json=wish)).status_code == 201


async def test_key_of_one_caller_means_nothing_for_another(http: httpx.AsyncClient, admin: Person) -> None:
    wish, repeat = {"name": f"role-{secrets.token_hex(4)}", "permissions": []}, key()
    first = await admin.http.post("/api/v1/roles", json=wish, headers=admin.bearer | repeat)
    assert first.status_code == 201
    again = await admin.http.post("/api/v1/roles", json=wish, headers=admin.bearer | repeat)
    assert (again.status_code, again.json()) == (201, first.json())
    ada = await register(http)
    assert (await http.post("/api/v1/roles", json=wish, headers=ada.bearer | repeat)).status_code == 403


async def test_list_that_waits_shows_ones_own_write_or_says_how_old_it_is(http: httpx.AsyncClient, admin: Person) -> None:
    """It waits for 300 ms at most, in which workers on a busy machine may not have had a turn."""
    shown = 0
    for _ in range(20):
        name = f"role-{secrets.token_hex(4)}"
        made = await admin.ask("POST", "/roles", {"name": name, "permissions": []})
        listed = await admin.get("/roles?limit=200", Minos_Wait_For=made.headers["minos-stream-version"])
        is_shown = name in {row["role"] for row in listed.json()["data"]}
        assert is_shown or int(listed.headers["minos-age-ms"]) > 0
        assert int(listed.headers["minos-position"]) > 0
        shown += is_shown
    assert shown > 0


async def test_single_thing_is_never_stale(http: httpx.AsyncClient, admin: Person) -> None:
    for _ in range(20):
        name = f"role-{secrets.token_hex(4)}"
        await admin.ask("POST", "/roles", {"name": name, "permissions": []})
        await admin.ask("PUT", f"/roles/{name}/permissions", {"permissions": ["a.b"]})
        assert (await admin.get(f"/roles/{name}")).json()["permissions"] == ["a.b"]


async def test_token_to_wait_for_is_the_callers_own(http: httpx.AsyncClient, admin: Person) -> None:
    made = await admin.ask("POST", "/roles", {"name": f"role-{secrets.token_hex(4)}", "permissions": []})
    ada = await register(http)
    for token in (made.headers["minos-stream-version"], "made-up"):
        answer = await ada.get("/me/sessions", Minos_Wait_For=token)
        assert (answer.status_code, answer.json()["code"]) == (400, "stream_version_invalid")
    assert "minos-stream-version" not in (await http.post("/api/v1/auth/login", json={"email": ada.email, "password": PASSWORD})).headers


async def test_pages_follow_each_other_without_gap_or_repeat(http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    sessions = {ada.session_id} | {(await ada.sign_in()).session_id for _ in range(6)}
    async with asyncio.timeout(5):
        while len((await ada.get("/me/sessions")).json()["data"]) < len(sessions):
            await asyncio.sleep(0.02)
    seen: list[str] = []
    path = "/me/sessions?limit=3"
    while path:
        page = (await ada.get(path)).json()
        seen += [row["session_id"] for row in page["data"]]
        path = f"/me/sessions?limit=3&cursor={page['next_cursor']}" if page["next_cursor"] else ""
    assert len(seen) == len(sessions)
    assert set(seen) == sessions
    eve = await register(http)
    cursor = (await ada.get("/me/sessions?limit=3")).json()["next_cursor"]
    stolen = await eve.get(f"/me/sessions?limit=3&cursor={cursor}")
    assert (stolen.status_code, stolen.json()["code"]) == (400, "cursor_invalid")
