"""Signing in, staying signed in, and every way a session ends."""

import asyncio

import httpx

from bench.running import Running
from tests.e2e.people import PASSWORD, Person, address, register
from tests.e2e.stored import sequenced


async def test_who_registers_can_sign_in_and_is_known(http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http, username="ada.lovelace", name="Ada Lovelace")
    me = (await ada.get("/me")).json()
    assert (me["email"], me["username"], me["name"], me["roles"]) == (ada.email, "ada.lovelace", "Ada Lovelace", ["user"])
    by_name = await http.post("/api/v1/auth/login", json={"username": "Ada.Lovelace", "password": PASSWORD})
    assert by_name.status_code == 200
    standing = (await ada.get("/auth/session")).json()
    assert (standing["active"], standing["session_id"], standing["user_id"]) == (True, ada.session_id, ada.user_id)
    taken = await http.post("/api/v1/auth/register", json={"email": ada.email.upper(), "password": PASSWORD})
    assert (taken.status_code, taken.json()["code"]) == (409, "email_taken")


async def test_refresh_rotates_and_a_repeat_gets_the_same_answer(http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    first = ada.tokens["refresh_token"]
    assert (await ada.refresh()).status_code == 200
    second = ada.tokens["refresh_token"]
    assert second != first
    again = await ada.refresh(first)
    assert (again.status_code, again.json()["refresh_token"]) == (200, second)
    assert await ada.is_signed_in()


async def test_refresh_token_replaced_long_ago_ends_the_whole_family(http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    stolen = ada.tokens["refresh_token"]
    await ada.refresh()
    await ada.refresh()
    reused = await ada.refresh(stolen)
    assert (reused.status_code, reused.json()["code"]) == (401, "refresh_token_reused")
    assert not await ada.is_signed_in()
    newest = await ada.refresh(ada.tokens["refresh_token"])
    assert (newest.status_code, newest.json()["code"]) == (401, "invalid_refresh_token")


async def test_sixty_four_refreshes_at_once_make_one_rotation(http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    answers = await asyncio.gather(*(ada.refresh(ada.tokens["refresh_token"]) for _ in range(64)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    issued = f"/audit/events?stream=session-{ada.session_id}&type_prefix=session.token_issued&limit=200"
    async with asyncio.timeout(5):
        while len(events := (await admin.get(issued)).json()["data"]) < 2:
            await asyncio.sleep(0.02)
    assert len(events) == 2


async def test_changed_password_ends_other_sessions_and_renews_ones_own(http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    elsewhere = await ada.sign_in()
    wish = {"current_password": PASSWORD, "new_password": "another long enough phrase"}
    answer = await ada.ask("POST", "/auth/password/change", wish)
    assert answer.status_code == 200, answer.text
    old, ada.tokens, ada.password = ada.tokens, answer.json(), "another long enough phrase"
    assert await ada.is_signed_in()
    assert not await elsewhere.is_signed_in()
    assert (await elsewhere.refresh()).status_code == 401
    assert not await Person(http, ada.email, tokens=old).is_signed_in()
    before = await http.post("/api/v1/auth/login", json={"email": ada.email, "password": PASSWORD})
    assert (before.status_code, before.json()["code"]) == (401, "invalid_credentials")
    assert await (await ada.sign_in()).is_signed_in()


async def test_ended_session_is_refused_at_once_and_others_go_on(http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    laptop, phone = await ada.sign_in(device_name="laptop"), await ada.sign_in(device_name="phone")
    ended = await ada.ask("DELETE", f"/me/sessions/{phone.session_id}")
    assert ended.status_code == 204
    assert not await phone.is_signed_in()
    assert (await phone.refresh()).status_code == 401
    assert await laptop.is_signed_in()
    answer = await ada.ask("DELETE", "/me/sessions")
    assert answer.status_code == 200
    ada.tokens = answer.json()
    assert await ada.is_signed_in()
    assert not await laptop.is_signed_in()
    async with asyncio.timeout(5):
        while len(rows := (await ada.get("/me/sessions")).json()["data"]) < 3:
            await asyncio.sleep(0.02)
    assert {row["session_id"] for row in rows if row["status"] == "active"} == {ada.session_id}


async def test_anothers_session_is_as_absent_as_none(http: httpx.AsyncClient, admin: Person) -> None:
    ada, eve = await register(http), await register(http)
    foreign = await eve.ask("DELETE", f"/me/sessions/{ada.session_id}")
    nothing = await eve.ask("DELETE", "/me/sessions/01900000-0000-7000-8000-000000000000")
    assert foreign.status_code == nothing.status_code == 404
    assert foreign.json()["code"] == nothing.json()["code"] == "session_not_found"
    assert await ada.is_signed_in()


async def test_logout_may_be_repeated_and_everywhere_means_everywhere(http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    phone, tablet = await ada.sign_in(), await ada.sign_in()
    assert (await phone.ask("POST", "/auth/logout", {})).status_code == 204
    assert (await phone.ask("POST", "/auth/logout", {})).status_code == 204
    assert not await phone.is_signed_in()
    assert await tablet.is_signed_in()
    assert (await tablet.ask("POST", "/auth/logout", {"everywhere": True})).status_code == 204
    assert [await person.is_signed_in() for person in (ada, phone, tablet)] == [False, False, False]
    assert await (await ada.sign_in()).is_signed_in()


async def test_suspended_account_is_out_at_once_and_may_return(http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    assert (await admin.ask("POST", f"/users/{ada.user_id}/suspend", {"reason": "abuse"})).status_code == 204
    assert not await ada.is_signed_in()
    assert (await ada.refresh()).status_code == 401
    refused = await http.post("/api/v1/auth/login", json={"email": ada.email, "password": PASSWORD})
    unknown = await http.post("/api/v1/auth/login", json={"email": address(), "password": PASSWORD})
    assert (refused.status_code, refused.json()) == (unknown.status_code, unknown.json())
    assert (await admin.get(f"/users/{ada.user_id}")).json()["status"] == "suspended"
    assert (await admin.ask("POST", f"/users/{ada.user_id}/reinstate")).status_code == 204
    assert not await ada.is_signed_in()
    assert await (await ada.sign_in()).is_signed_in()


async def test_administrator_ends_one_session_or_all_of_an_account(running: Running, http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    phone = await ada.sign_in()
    assert (await admin.ask("DELETE", f"/users/{ada.user_id}/sessions/{phone.session_id}")).status_code == 204
    assert [await ada.is_signed_in(), await phone.is_signed_in()] == [True, False]
    ended = await admin.ask("DELETE", f"/users/{ada.user_id}/sessions")
    assert ended.status_code == 204
    assert not await ada.is_signed_in()
    await sequenced(running)
    rows = (await admin.get(f"/users/{ada.user_id}/sessions")).json()["data"]
    assert {row["status"] for row in rows} == {"ended"}


async def test_proving_the_password_again_gives_a_fresh_time_on_the_same_session(http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    before = (await ada.get("/auth/session")).json()
    await asyncio.sleep(1.1)
    wrong = await ada.ask("POST", "/auth/reauthenticate", {"password": "not the password at all"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_credentials")
    fresh = await ada.ask("POST", "/auth/reauthenticate", {"password": PASSWORD})
    assert fresh.status_code == 200
    ada.tokens |= fresh.json()
    after = (await ada.get("/auth/session")).json()
    assert after["session_id"] == before["session_id"]
    assert after["auth_time"] > before["auth_time"]
