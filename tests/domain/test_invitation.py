"""An invitation counts once, by the newest link, for a while."""

from datetime import timedelta

import pytest

from domain import invitation
from domain.errors import InvitationOver, MailLimited, MailTokenInvalid, NoSuchInvitation
from domain.invitation import (
    MOST_MAILINGS,
    InvitationAccepted,
    InvitationEvent,
    InvitationMade,
    InvitationRenewed,
    InvitationRevoked,
)
from tests.domain.examples import ADA, BOB, EDITOR, EMAIL, INVITATION, NOW
from tests.domain.given import given

HOUR = timedelta(hours=1)
MADE = InvitationMade(invitation_id=INVITATION, email=EMAIL, name=None, roles=(EDITOR,), invited_by=BOB, expires_at=NOW + HOUR, at=NOW)
ACCEPTED = InvitationAccepted(invitation_id=INVITATION, user_id=ADA, at=NOW)
REVOKED = InvitationRevoked(invitation_id=INVITATION, at=NOW)


def renewed(mailing: int) -> InvitationRenewed:
    return InvitationRenewed(invitation_id=INVITATION, mailing=mailing, expires_at=NOW + 2 * HOUR, at=NOW + HOUR)


def test_an_open_invitation_is_accepted_once() -> None:
    given(invitation.decider, MADE).when(invitation.accept, mailing=1, user_id=ADA, at=NOW).then(ACCEPTED)
    given(invitation.decider, MADE, ACCEPTED).when(invitation.accept, mailing=1, user_id=ADA, at=NOW).then_refused(MailTokenInvalid)


@pytest.mark.parametrize("past", [(), (MADE, REVOKED), (MADE, renewed(2))], ids=["never", "revoked", "renewed"])
def test_an_old_link_opens_nothing(past: tuple[InvitationEvent, ...]) -> None:
    given(invitation.decider, *past).when(invitation.accept, mailing=1, user_id=ADA, at=NOW).then_refused(MailTokenInvalid)


def test_a_link_works_until_its_time_is_over_and_not_then() -> None:
    given(invitation.decider, MADE).when(invitation.accept, mailing=1, user_id=ADA, at=NOW + HOUR).then_refused(MailTokenInvalid)


def test_one_whose_time_is_over_can_be_mailed_once_more() -> None:
    given(invitation.decider, MADE).when(invitation.renew, ttl=3_600, at=NOW + HOUR).then(renewed(2))


def test_a_mailbox_is_not_filled_by_who_may_invite() -> None:
    given(invitation.decider, MADE).when(invitation.renew, ttl=3_600, at=NOW + timedelta(seconds=59)).then_refused(MailLimited)
    often = [renewed(n) for n in range(2, MOST_MAILINGS + 1)]
    given(invitation.decider, MADE, *often).when(invitation.renew, ttl=3_600, at=NOW + 9 * HOUR).then_refused(InvitationOver)


def test_what_is_over_is_neither_mailed_nor_taken_back() -> None:
    for decision in (invitation.revoke, lambda s, at: invitation.renew(s, ttl=1, at=at)):
        given(invitation.decider).when(decision, at=NOW).then_refused(NoSuchInvitation)
        given(invitation.decider, MADE, ACCEPTED).when(decision, at=NOW).then_refused(InvitationOver)


def test_taking_it_back_twice_changes_nothing() -> None:
    given(invitation.decider, MADE).when(invitation.revoke, at=NOW).then(REVOKED)
    given(invitation.decider, MADE, REVOKED).when(invitation.revoke, at=NOW).then()
