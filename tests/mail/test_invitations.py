"""An invitation reaches its mailbox, and only there is said whether there is an account already."""

from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from commands.accept_invitation import AcceptInvitation, accept_invitation
from commands.delete_user import DeleteUser, delete_user
from commands.invitations import Invite, invite, invite_again, revoke_invitation
from domain.ids import InvitationId
from tests.mail.conftest import ANYBODY, PASSWORD, Office

CLI = replace(ANYBODY, system="cli")
SUBJECT = "You are invited to minos"


async def invited(office: Office, email: str = "Ada@example.org") -> InvitationId:
    return (await invite(Invite(email=email), CLI, office.ports)).result.invitation_id


async def test_the_link_in_the_mail_opens_the_account(open_office: Callable[..., Awaitable[Office]]) -> None:
    office = await open_office(registration="invite")
    await invited(office)
    await office.work()
    assert office.subjects() == [SUBJECT]
    assert office.received.envelopes == [("minos@minos.example", ["Ada@example.org"])]
    assert "/account/invite#token=" in office.text()
    wish = AcceptInvitation(token=office.token(), password=PASSWORD)
    user_id = (await accept_invitation(wish, ANYBODY, office.ports)).user_id
    assert (await office.account(user_id)).email_verified
    await office.work()
    assert office.subjects() == [SUBJECT]  # nothing is left to prove


async def test_each_mail_about_it_has_a_link_of_its_own(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.invitation.PAUSE_SECONDS", 0)
    invitation_id = await invited(office)
    await office.work()
    await invite_again(invitation_id, CLI, office.ports)
    await office.work()
    assert office.subjects() == [SUBJECT, SUBJECT]
    assert office.token(0) != office.token(1)


async def test_one_that_was_taken_back_before_it_went_out_is_not_mailed(office: Office) -> None:
    await revoke_invitation(await invited(office), CLI, office.ports)
    await office.work()
    assert office.subjects() == []


async def test_who_has_an_account_hears_that_instead(office: Office) -> None:
    await office.known("ada@example.org")
    await invited(office, "ADA@example.org")
    await office.work()
    assert office.subjects() == ["You have an account at minos already"]
    assert office.received.envelopes == [("minos@minos.example", ["ada@example.org"])]


async def test_whose_account_was_deleted_hears_until_when_it_can_come_back(office: Office) -> None:
    user_id = await office.known()
    await delete_user(DeleteUser(user_id=user_id), CLI, office.ports)
    await office.work()
    await invited(office)
    await office.work()
    assert office.subjects() == ["Your minos account was deleted"] * 2
