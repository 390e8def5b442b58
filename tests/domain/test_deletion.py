"""A deleted account is as good as not there, and comes back as it was, until it is too late."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from domain import deletion, mailbox_proof, user, user_password
from domain.errors import MailTokenInvalid, NoSuchUser, RestoreTooLate
from domain.user import Active, Deleted, Gone, Suspended, account_of
from domain.user_events import (
    DeleteReason,
    NamesReleased,
    SuspendReason,
    UserDeleted,
    UserEvent,
    UserRestored,
)
from tests.domain.examples import ADA, EDITOR, EMAIL_CLAIM, LATER, NEXT_PASSWORD, OTHER_NAME, PASSWORD, USER_ROLE
from tests.domain.given import given
from tests.domain.test_user import ACTIVE, STOPPED

UNTIL = LATER + timedelta(seconds=60)
DELETED = UserDeleted(user_id=ADA, reason=DeleteReason.LEFT, token_epoch=2, restorable_until=UNTIL, at=LATER)
RELEASED = NamesReleased(user_id=ADA, at=UNTIL)
RESTORED = UserRestored(user_id=ADA, at=LATER)
AWAY: tuple[UserEvent, ...] = (*ACTIVE, DELETED)
WISH = {"reason": DeleteReason.LEFT, "restorable_s": 60, "at": LATER}


def test_deleting_raises_the_token_epoch_so_that_every_token_dies() -> None:
    after = given(user.decider, *ACTIVE).when(deletion.delete, **WISH).then(DELETED)
    assert isinstance(after, Deleted)
    assert after.account.token_epoch == 2


@pytest.mark.parametrize("past", [AWAY, (*AWAY, RELEASED)])
def test_deleting_twice_changes_nothing(past: tuple[UserEvent, ...]) -> None:
    given(user.decider, *past).when(deletion.delete, **WISH).then()


def test_an_account_comes_back_as_it_was_with_its_sessions_dead() -> None:
    after = given(user.decider, *AWAY).when(deletion.restore, at=LATER).then(RESTORED)
    assert isinstance(after, Active)
    assert after.account.token_epoch == 2


def test_a_suspended_account_comes_back_suspended() -> None:
    assert isinstance(user.decider.fold([*STOPPED, DELETED, RESTORED]), Suspended)


def test_restoring_what_is_there_changes_nothing() -> None:
    given(user.decider, *ACTIVE).when(deletion.restore, at=LATER).then()


@pytest.mark.parametrize("past", [AWAY, (*AWAY, RELEASED)])
def test_too_late_is_too_late_whether_or_not_the_names_are_free(past: tuple[UserEvent, ...]) -> None:
    given(user.decider, *past).when(deletion.restore, at=UNTIL).then_refused(RestoreTooLate)


def test_names_are_released_at_the_end_and_once() -> None:
    given(user.decider, *AWAY).when(deletion.release_names, at=UNTIL - timedelta(microseconds=1)).then()
    after = given(user.decider, *AWAY).when(deletion.release_names, at=UNTIL).then(RELEASED)
    assert isinstance(after, Gone)
    given(user.decider, *AWAY, RELEASED).when(deletion.release_names, at=UNTIL).then()
    given(user.decider, *ACTIVE).when(deletion.release_names, at=UNTIL).then()


DECISIONS: dict[str, Callable[[Any], Sequence[UserEvent]]] = {
    "grant": lambda s: user.grant_role(s, EDITOR, at=LATER),
    "revoke": lambda s: user.revoke_role(s, USER_ROLE, at=LATER),
    "suspend": lambda s: user.suspend(s, reason=SuspendReason.ABUSE, note=None, at=LATER),
    "reinstate": lambda s: user.reinstate(s, at=LATER),
    "change_password": lambda s: user_password.change_password(s, password=NEXT_PASSWORD, remembered=5, at=LATER),
    "rehash": lambda s: user_password.rehash_password(s, password=NEXT_PASSWORD, verified=PASSWORD, at=LATER),
    "rename": lambda s: user.change_profile(s, name=OTHER_NAME, at=LATER),
    "username": lambda s: user.change_username(s, username=None, claim=None, at=LATER),
    "sign_out": lambda s: user.sign_out_everywhere(s, at=LATER),
    "reset": lambda s: mailbox_proof.reset_password(s, password=NEXT_PASSWORD, remembered=5, at=LATER),
}


@pytest.mark.parametrize("name", sorted(DECISIONS))
@pytest.mark.parametrize("past", [AWAY, (*AWAY, RELEASED)])
def test_nothing_can_be_done_with_a_deleted_account(name: str, past: tuple[UserEvent, ...]) -> None:
    with pytest.raises(NoSuchUser):
        DECISIONS[name](user.decider.fold(past))


def test_a_link_from_before_proves_nothing_of_a_deleted_account() -> None:
    with pytest.raises(MailTokenInvalid):
        mailbox_proof.require_unproved(user.decider.fold(AWAY), claim=EMAIL_CLAIM)


def test_what_it_was_can_still_be_looked_at() -> None:
    assert account_of(user.decider.fold([*AWAY, RELEASED])).email_claim == EMAIL_CLAIM


def test_the_names_of_who_was_erased_while_suspended_are_freed_early_by_a_word_and_nobody_elses() -> None:
    erased = replace(DELETED, reason=DeleteReason.ERASURE)
    given(user.decider, *STOPPED, erased).when(deletion.lift_bar, at=LATER).then(NamesReleased(user_id=ADA, at=LATER))
    for past in ((*STOPPED, DELETED), (*ACTIVE, erased), STOPPED, (*STOPPED, erased, RELEASED)):
        given(user.decider, *past).when(deletion.lift_bar, at=LATER).then_refused(NoSuchUser)
