"""What an account may do and what may be done to it."""

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from domain import user
from domain.errors import NoSuchUser, TooManyRoles
from domain.ids import RoleName
from domain.user import Active, Suspended, account_of
from domain.user_events import (
    PasswordReason,
    PasswordRehashed,
    PasswordSet,
    PasswordsForgotten,
    ProfileChanged,
    RegisteredBy,
    RoleGranted,
    RoleRevoked,
    SignedOutEverywhere,
    SuspendReason,
    UserEvent,
    UsernameChanged,
    UserRegistered,
    UserReinstated,
    UserSuspended,
)
from domain.user_password import change_password, rehash_password
from tests.domain.examples import (
    ADA,
    EDITOR,
    EMAIL,
    EMAIL_CLAIM,
    LATER,
    NAME,
    NAME_CLAIM,
    NEXT_PASSWORD,
    NOW,
    OTHER_CLAIM,
    OTHER_NAME,
    PASSWORD,
    USER_ROLE,
    USERNAME,
)
from tests.domain.given import given

REGISTERED = UserRegistered(
    user_id=ADA,
    email=EMAIL,
    email_claim=EMAIL_CLAIM,
    username=USERNAME,
    username_claim=NAME_CLAIM,
    name=NAME,
    roles=(USER_ROLE,),
    registered_by=RegisteredBy.SELF,
    at=NOW,
)
CHOSEN = PasswordSet(user_id=ADA, password=PASSWORD, password_version=1, token_epoch=1, reason=PasswordReason.CHOSEN, at=NOW)
CHANGED = PasswordSet(user_id=ADA, password=NEXT_PASSWORD, password_version=2, token_epoch=2, reason=PasswordReason.CHANGED, at=LATER)
SUSPENDED = UserSuspended(user_id=ADA, reason=SuspendReason.ABUSE, note=None, token_epoch=2, at=LATER)
REINSTATED = UserReinstated(user_id=ADA, at=LATER)
ACTIVE: tuple[UserEvent, ...] = (REGISTERED, CHOSEN)
STOPPED: tuple[UserEvent, ...] = (*ACTIVE, SUSPENDED)
ASKED = {
    "user_id": ADA,
    "email": EMAIL,
    "email_claim": EMAIL_CLAIM,
    "username": USERNAME,
    "username_claim": NAME_CLAIM,
    "name": NAME,
    "password": PASSWORD,
    "registered_by": RegisteredBy.SELF,
    "at": NOW,
}


def test_registering_sets_the_first_password_under_the_first_epoch() -> None:
    after = given(user.decider).when(user.register, roles=[USER_ROLE], **ASKED).then(REGISTERED, CHOSEN)
    account = account_of(after)
    assert (account.token_epoch, account.password_version, account.roles_version) == (1, 1, 1)


def test_registering_twice_changes_nothing() -> None:
    given(user.decider, *ACTIVE).when(user.register, roles=[USER_ROLE], **ASKED).then()


def test_roles_of_a_new_account_are_sorted_and_each_there_once() -> None:
    events = user.register(user.Absent(), roles=[USER_ROLE, EDITOR, USER_ROLE], **ASKED)  # type: ignore[arg-type]
    assert isinstance(events[0], UserRegistered)
    assert events[0].roles == (EDITOR, USER_ROLE)


def test_a_password_change_raises_the_token_epoch_and_the_password_version() -> None:
    after = given(user.decider, *ACTIVE).when(change_password, password=NEXT_PASSWORD, remembered=5, at=LATER).then(CHANGED)
    assert account_of(after).earlier_passwords == (PASSWORD,)


@pytest.mark.parametrize("remembered", [0, 1, 2])
def test_as_many_earlier_passwords_are_remembered_as_asked_for(remembered: int) -> None:
    changes = [*ACTIVE, CHANGED, CHANGED, CHANGED]
    forgotten = PasswordsForgotten(user_id=ADA, remembered=remembered, at=LATER)
    again = replace(CHANGED, password=PASSWORD, password_version=3, token_epoch=3)
    after = given(user.decider, *changes).when(change_password, password=PASSWORD, remembered=remembered, at=LATER).then(again, forgotten)
    assert account_of(after).earlier_passwords == (NEXT_PASSWORD,) * remembered


def test_a_stronger_hash_is_no_earlier_password() -> None:
    rehashed = PasswordRehashed(user_id=ADA, password=NEXT_PASSWORD, password_version=1, at=LATER)
    assert account_of(user.decider.fold([*ACTIVE, rehashed])).earlier_passwords == ()


def test_rehashing_keeps_epoch_and_version() -> None:
    rehashed = PasswordRehashed(user_id=ADA, password=NEXT_PASSWORD, password_version=1, at=LATER)
    after = given(user.decider, *ACTIVE).when(rehash_password, password=NEXT_PASSWORD, verified=PASSWORD, at=LATER).then(rehashed)
    account = account_of(after)
    assert (account.password, account.token_epoch, account.password_version) == (NEXT_PASSWORD, 1, 1)


def test_the_hash_of_a_replaced_password_is_not_kept() -> None:
    given(user.decider, *ACTIVE, CHANGED).when(rehash_password, password=PASSWORD, verified=PASSWORD, at=LATER).then()


def test_a_name_can_change_and_go() -> None:
    renamed = ProfileChanged(user_id=ADA, name=OTHER_NAME, at=LATER)
    gone = ProfileChanged(user_id=ADA, name=None, at=LATER)
    given(user.decider, *ACTIVE).when(user.change_profile, name=OTHER_NAME, at=LATER).then(renamed)
    given(user.decider, *ACTIVE).when(user.change_profile, name=None, at=LATER).then(gone)


@pytest.mark.parametrize("name", [UNSET, NAME])
def test_a_profile_change_that_changes_nothing_says_nothing(name: object) -> None:
    given(user.decider, *ACTIVE).when(user.change_profile, name=name, at=LATER).then()


def test_a_username_moves_to_another_claim() -> None:
    changed = UsernameChanged(user_id=ADA, username=OTHER_NAME, username_claim=OTHER_CLAIM, at=LATER)
    after = given(user.decider, *ACTIVE).when(user.change_username, username=OTHER_NAME, claim=OTHER_CLAIM, at=LATER).then(changed)
    assert account_of(after).username_claim == OTHER_CLAIM


def test_a_username_under_the_same_claim_is_no_change() -> None:
    given(user.decider, *ACTIVE).when(user.change_username, username=USERNAME, claim=NAME_CLAIM, at=LATER).then()


def test_a_role_is_granted_once_and_counted() -> None:
    granted = RoleGranted(user_id=ADA, role=EDITOR, roles_version=2, at=LATER)
    after = given(user.decider, *ACTIVE).when(user.grant_role, EDITOR, at=LATER).then(granted)
    assert account_of(after).roles == (EDITOR, USER_ROLE)
    given(user.decider, *ACTIVE, granted).when(user.grant_role, EDITOR, at=LATER).then()


def test_nobody_is_given_more_roles_than_fit_into_a_token() -> None:
    account = replace(account_of(user.decider.fold(ACTIVE)), roles=tuple(RoleName(f"role-{n}") for n in range(user.MOST_ROLES)))
    assert user.grant_role(Active(account=account), RoleName("role-0"), at=LATER) == []
    with pytest.raises(TooManyRoles):
        user.grant_role(Active(account=account), EDITOR, at=LATER)


def test_a_role_is_revoked_once_and_counted() -> None:
    revoked = RoleRevoked(user_id=ADA, role=USER_ROLE, roles_version=2, at=LATER)
    after = given(user.decider, *ACTIVE).when(user.revoke_role, USER_ROLE, at=LATER).then(revoked)
    assert account_of(after).roles == ()
    given(user.decider, *ACTIVE, revoked).when(user.revoke_role, USER_ROLE, at=LATER).then()


def test_suspension_raises_the_token_epoch() -> None:
    after = given(user.decider, *ACTIVE).when(user.suspend, reason=SuspendReason.ABUSE, note=None, at=LATER).then(SUSPENDED)
    assert isinstance(after, Suspended)
    assert after.account.token_epoch == 2


def test_suspending_twice_changes_nothing() -> None:
    given(user.decider, *STOPPED).when(user.suspend, reason=SuspendReason.LEFT, note=None, at=LATER).then()


def test_reinstating_keeps_the_raised_epoch_so_that_old_sessions_stay_dead() -> None:
    after = given(user.decider, *STOPPED).when(user.reinstate, at=LATER).then(REINSTATED)
    assert isinstance(after, Active)
    assert after.account.token_epoch == 2


def test_reinstating_who_may_act_already_changes_nothing() -> None:
    given(user.decider, *ACTIVE).when(user.reinstate, at=LATER).then()


def test_signing_out_everywhere_raises_the_epoch_each_time() -> None:
    once = SignedOutEverywhere(user_id=ADA, token_epoch=2, at=LATER)
    twice = SignedOutEverywhere(user_id=ADA, token_epoch=3, at=LATER)
    given(user.decider, *ACTIVE).when(user.sign_out_everywhere, at=LATER).then(once)
    given(user.decider, *ACTIVE, once).when(user.sign_out_everywhere, at=LATER).then(twice)


def test_changes_during_a_suspension_do_not_lift_it() -> None:
    granted = RoleGranted(user_id=ADA, role=EDITOR, roles_version=2, at=LATER)
    after = given(user.decider, *STOPPED).when(user.grant_role, EDITOR, at=LATER).then(granted)
    assert isinstance(after, Suspended)


@pytest.mark.parametrize(
    ("decision", "facts"),
    [
        (change_password, {"password": PASSWORD, "remembered": 5, "at": NOW}),
        (rehash_password, {"password": PASSWORD, "verified": PASSWORD, "at": NOW}),
        (user.change_profile, {"name": NAME, "at": NOW}),
        (user.change_username, {"username": None, "claim": None, "at": NOW}),
        (user.grant_role, {"role": EDITOR, "at": NOW}),
        (user.revoke_role, {"role": EDITOR, "at": NOW}),
        (user.suspend, {"reason": SuspendReason.LEFT, "note": None, "at": NOW}),
        (user.reinstate, {"at": NOW}),
        (user.sign_out_everywhere, {"at": NOW}),
    ],
)
def test_nothing_can_be_done_to_nobody(decision: object, facts: dict[str, object]) -> None:
    given(user.decider).when(decision, **facts).then_refused(NoSuchUser)  # type: ignore[arg-type]


def test_the_epoch_never_falls() -> None:
    epochs = [account_of(user.decider.fold((*STOPPED, REINSTATED)[:n])).token_epoch for n in range(1, 5)]
    assert epochs == sorted(epochs)
