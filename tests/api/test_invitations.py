"""Inviting over HTTP."""

import secrets
from typing import Any
from uuid import UUID, uuid4

import pytest

from commands.accept_invitation import open_invitation
from domain.ids import InvitationId
from tests.api.conftest import PASSWORD, Person, Served

BASE = "/api/v1/auth/invitations/accept"


async def invited(admin: Person, email: str, **more: Any) -> str:
    answer = await admin.ask("POST", "/invitations", json={"email": email, **more})
    assert answer.status_code == 201, answer.text
    assert list(answer.json()) == ["invitation_id"]
    invitation_id: str = answer.json()["invitation_id"]
    return invitation_id


async def link(served: Served, invitation_id: str) -> str:
    found = await open_invitation(InvitationId(UUID(invitation_id)), served.world.ports)
    assert found is not None
    return found.token


async def listed(served: Served, admin: Person, invitation_id: str, **parameters: str) -> dict[str, Any] | None:
    await served.project()
    rows = (await admin.ask("GET", "/invitations", params=parameters)).json()["data"]
    return next((row for row in rows if row["invitation_id"] == invitation_id), None)


async def test_who_is_invited_opens_the_account_and_is_seen_to_have(served: Served, admin: Person) -> None:
    email = f"{secrets.token_hex(4)}@example.org"
    invitation_id = await invited(admin, email, name="Grace")
    row = await listed(served, admin, invitation_id, status="open")
    assert row is not None
    assert (row["email"], row["name"], row["invited_by"], row["mailings"]) == (email, "Grace", admin.user_id, 1)
    answer = await served.http.post(BASE, json={"token": await link(served, invitation_id), "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    person = Person(served.http, email)
    await person.sign_in()
    me = (await person.ask("GET", "/me")).json()
    assert (me["email_verified"], me["name"], me["user_id"]) == (True, "Grace", answer.json()["user_id"])
    row = await listed(served, admin, invitation_id)
    assert row is not None
    assert (row["status"], row["user_id"]) == ("accepted", me["user_id"])


async def test_an_invitation_is_taken_back_and_then_opens_nothing(served: Served, admin: Person) -> None:
    invitation_id = await invited(admin, f"{secrets.token_hex(4)}@example.org")
    token = await link(served, invitation_id)
    assert (await admin.ask("POST", f"/invitations/{invitation_id}/resend")).status_code == 429
    assert (await admin.ask("DELETE", f"/invitations/{invitation_id}")).status_code == 204
    answer = await served.http.post(BASE, json={"token": token, "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (400, "mail_token_invalid")
    answer = await admin.ask("POST", f"/invitations/{invitation_id}/resend")
    assert (answer.status_code, answer.json()["code"]) == (409, "invitation_over")


async def test_no_body_of_an_acceptance_chooses_rights(served: Served, admin: Person) -> None:
    token = await link(served, await invited(admin, f"{secrets.token_hex(4)}@example.org"))
    for more in ({"roles": ["admin"]}, {"email": "other@example.org"}):
        answer = await served.http.post(BASE, json={"token": token, "password": PASSWORD, **more})
        assert answer.status_code == 422, more


@pytest.mark.parametrize("call", [("POST", "/resend"), ("DELETE", "")])
async def test_what_never_was_is_not_found(admin: Person, call: tuple[str, str]) -> None:
    answer = await admin.ask(call[0], f"/invitations/{uuid4()}{call[1]}")
    assert (answer.status_code, answer.json()["code"]) == (404, "invitation_not_found")


async def test_inviting_an_address_with_an_account_is_answered_as_any_other(served: Served, admin: Person) -> None:
    person = await served.person(sign_in=False)
    await invited(admin, person.email)
