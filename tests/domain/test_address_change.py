"""An address is changed once its new mailbox proved it, and whoever reads the earlier one takes that back for three days."""

from datetime import timedelta
from typing import Any

import pytest

from domain import address_change, user
from domain.errors import EmailChangedLately, MailTokenInvalid, NoSuchUser
from domain.event import Sealed
from domain.user import account_of
from domain.user_events import (
    DeleteReason,
    EarlierEmailReleased,
    EmailChanged,
    EmailRestored,
    EmailVerified,
    PasswordReason,
    PasswordSet,
    UserDeleted,
    UserEvent,
)
from tests.domain.examples import ADA, EMAIL, EMAIL_CLAIM, LATER, NEXT_PASSWORD, NOW, OTHER_CLAIM, PROFILE_KEY
from tests.domain.given import given
from tests.domain.test_user import ACTIVE, STOPPED

NEW = Sealed(PROFILE_KEY, b"another sealed email")
UNTIL = LATER + timedelta(seconds=address_change.UNDO_TTL)
PROVED: tuple[UserEvent, ...] = (*ACTIVE, EmailVerified(user_id=ADA, email_claim=EMAIL_CLAIM, at=NOW))
CHANGED = EmailChanged(user_id=ADA, email=NEW, email_claim=OTHER_CLAIM, undo_until=UNTIL, at=LATER)
RESTORED = EmailRestored(user_id=ADA, email=EMAIL, email_claim=EMAIL_CLAIM, at=LATER)
RELEASED = EarlierEmailReleased(user_id=ADA, at=UNTIL)
SET = PasswordSet(user_id=ADA, password=NEXT_PASSWORD, password_version=2, token_epoch=2, reason=PasswordReason.RESET, at=LATER)
MOVED: tuple[UserEvent, ...] = (*PROVED, CHANGED)
DELETED = UserDeleted(user_id=ADA, reason=DeleteReason.LEFT, token_epoch=2, restorable_until=UNTIL, at=LATER)
WISH = {"email": NEW, "claim": OTHER_CLAIM, "at": LATER}
UNDO: dict[str, Any] = {"claim": EMAIL_CLAIM, "password": NEXT_PASSWORD, "remembered": 5, "at": LATER}


def test_the_earlier_address_is_remembered_while_the_change_can_be_taken_back() -> None:
    account = account_of(given(user.decider, *PROVED).when(address_change.change, **WISH).then(CHANGED))
    assert (account.email, account.email_claim, account.email_verified) == (NEW, OTHER_CLAIM, True)
    assert account.earlier is not None
    assert (account.earlier.email, account.earlier.claim) == (EMAIL, EMAIL_CLAIM)


def test_an_address_that_nobody_proved_takes_nothing_back() -> None:
    """It may be another's, by a slip when the account was opened: they must not get it by way of the correction."""
    event = EmailChanged(user_id=ADA, email=NEW, email_claim=OTHER_CLAIM, undo_until=None, at=LATER)
    assert account_of(given(user.decider, *ACTIVE).when(address_change.change, **WISH).then(event)).earlier is None


def test_changing_twice_changes_once() -> None:
    given(user.decider, *MOVED).when(address_change.change, **WISH).then()


def test_there_is_no_further_change_before_the_last_one_stands() -> None:
    wish = {**WISH, "claim": EMAIL_CLAIM}
    given(user.decider, *MOVED).when(address_change.change, **wish).then_refused(EmailChangedLately)
    given(user.decider, *MOVED, RELEASED).when(address_change.change, **{**wish, "at": UNTIL}).then(
        EmailChanged(
            user_id=ADA, email=NEW, email_claim=EMAIL_CLAIM, undo_until=UNTIL + timedelta(seconds=address_change.UNDO_TTL), at=UNTIL
        )
    )


@pytest.mark.parametrize("past", [MOVED, (*STOPPED, PROVED[-1], CHANGED)])
def test_taking_it_back_restores_the_address_with_a_new_password(past: tuple[UserEvent, ...]) -> None:
    before = account_of(user.decider.fold(past))
    events = address_change.undo(user.decider.fold(past), **UNDO)
    assert events[0] == RESTORED
    account = account_of(user.decider.fold(events, user.decider.fold(past)))
    assert (account.email, account.email_claim, account.earlier) == (EMAIL, EMAIL_CLAIM, None)
    assert (account.password_version, account.token_epoch) == (before.password_version + 1, before.token_epoch + 1)


@pytest.mark.parametrize("past", [PROVED, (*MOVED, RESTORED, SET), (*MOVED, RELEASED), (*MOVED, DELETED), ()])
def test_nothing_is_taken_back_twice_or_when_there_is_nothing_or_too_late(past: tuple[UserEvent, ...]) -> None:
    given(user.decider, *past).when(address_change.undo, **UNDO).then_refused(MailTokenInvalid)
    given(user.decider, *MOVED).when(address_change.undo, **{**UNDO, "at": UNTIL}).then_refused(MailTokenInvalid)
    given(user.decider, *MOVED).when(address_change.undo, **{**UNDO, "claim": OTHER_CLAIM}).then_refused(MailTokenInvalid)


def test_the_earlier_address_is_released_when_it_is_too_late_and_not_before() -> None:
    given(user.decider, *MOVED).when(address_change.release, at=UNTIL - timedelta(seconds=1)).then()
    given(user.decider, *MOVED).when(address_change.release, at=UNTIL).then(RELEASED)
    given(user.decider, *MOVED, RELEASED).when(address_change.release, at=UNTIL).then()
    given(user.decider, *MOVED, DELETED).when(address_change.release, at=UNTIL).then(RELEASED)
    given(user.decider, *PROVED).when(address_change.release, at=UNTIL).then()
    given(user.decider).when(address_change.release, at=UNTIL).then()


def test_nobody_changes_the_address_of_a_deleted_account() -> None:
    given(user.decider, *PROVED, DELETED).when(address_change.change, **WISH).then_refused(NoSuchUser)
