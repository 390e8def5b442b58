"""Roles: who may hand out what, and that a change acts on the next strong check."""

import asyncio

import httpx

from tests.e2e.people import Person, register


async def define(admin: Person, name: str, *permissions: str) -> None:
    answer = await admin.ask("POST", "/roles", {"name": name, "permissions": list(permissions)})
    assert answer.status_code == 201, answer.text


async def may(person: Person, permission: str) -> bool:
    answer = await person.ask("POST", "/permissions/check", {"permission": permission})
    assert answer.status_code == 200, answer.text
    return bool(answer.json()["allowed"])


async def test_granted_role_acts_at_once_and_revoked_one_no_longer(http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    await define(admin, "support", "minos.users.read", "tickets.*")
    assert (await ada.get("/users")).status_code == 403
    assert (await admin.ask("PUT", f"/users/{ada.user_id}/roles/support")).status_code == 204
    assert (await ada.get("/users")).status_code == 200
    assert await may(ada, "tickets.close")
    assert "support" in (await ada.get("/auth/session")).json()["roles"]
    assert (await admin.ask("DELETE", f"/users/{ada.user_id}/roles/support")).status_code == 204
    assert (await ada.get("/users")).status_code == 403
    assert not await may(ada, "tickets.close")


async def test_changed_and_retired_roles_act_on_whoever_holds_them_at_once(http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    await define(admin, "writer", "pages.read")
    await admin.ask("PUT", f"/users/{ada.user_id}/roles/writer")
    assert [await may(ada, "pages.read"), await may(ada, "pages.write")] == [True, False]
    assert (await admin.ask("PUT", "/roles/writer/permissions", {"permissions": ["pages.*"]})).status_code == 204
    assert await may(ada, "pages.write")
    assert (await admin.ask("POST", "/roles/writer/retire")).status_code == 204
    assert not await may(ada, "pages.read")
    again = await admin.ask("POST", "/roles", {"name": "writer", "permissions": []})
    assert (again.status_code, again.json()["code"]) == (409, "role_exists")


async def test_nobody_hands_out_more_than_they_hold(http: httpx.AsyncClient, admin: Person) -> None:
    ada, eve = await register(http), await register(http)
    await define(admin, "granter", "minos.roles.grant", "minos.roles.write", "minos.users.suspend")
    await admin.ask("PUT", f"/users/{ada.user_id}/roles/granter")
    upwards = await ada.ask("PUT", f"/users/{eve.user_id}/roles/admin")
    assert (upwards.status_code, upwards.json()["code"]) == (403, "rights_exceeded")
    wider = await ada.ask("POST", "/roles", {"name": "everything", "permissions": ["*"]})
    assert (wider.status_code, wider.json()["code"]) == (403, "rights_exceeded")
    above = await ada.ask("POST", f"/users/{admin.user_id}/suspend", {})
    assert (above.status_code, above.json()["code"]) == (403, "rights_exceeded")
    assert (await ada.ask("PUT", f"/users/{eve.user_id}/roles/granter")).status_code == 204


async def test_several_questions_are_answered_in_order(http: httpx.AsyncClient, admin: Person) -> None:
    ada = await register(http)
    asked = {"checks": [{"permission": "minos.users.read"}, {"permission": "pages.read"}]}
    assert [check["allowed"] for check in (await ada.ask("POST", "/permissions/check", asked)).json()["checks"]] == [False, False]
    assert [check["allowed"] for check in (await admin.ask("POST", "/permissions/check", asked)).json()["checks"]] == [True, True]


async def test_two_administrators_demoting_each_other_always_leave_one(http: httpx.AsyncClient, admin: Person) -> None:
    other = await register(http)
    for _ in range(15):
        assert (await admin.ask("PUT", f"/users/{other.user_id}/roles/admin")).status_code == 204
        answers = await asyncio.gather(
            admin.ask("DELETE", f"/users/{other.user_id}/roles/admin"),
            other.ask("DELETE", f"/users/{admin.user_id}/roles/admin"),
        )
        assert min(answer.status_code for answer in answers) == 204, [answer.text for answer in answers]
        still = [person for person in (admin, other) if "admin" in (await person.get("/auth/session")).json()["roles"]]
        assert len(still) == 1
        if still == [other]:
            assert (await other.ask("PUT", f"/users/{admin.user_id}/roles/admin")).status_code == 204
            assert (await admin.ask("DELETE", f"/users/{other.user_id}/roles/admin")).status_code == 204
    alone = await admin.ask("DELETE", f"/users/{admin.user_id}/roles/admin")
    assert (alone.status_code, alone.json()["code"]) == (409, "last_admin_protected")
    suspended = await admin.ask("POST", f"/users/{admin.user_id}/suspend", {})
    assert (suspended.status_code, suspended.json()["code"]) == (409, "last_admin_protected")
