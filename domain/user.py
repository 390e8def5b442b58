"""A person's account: who they are, whether they may sign in, which roles they hold.

Stages: Absent -> Active <-> Suspended; either <-> Deleted -> Gone; Deleted or Gone -> Erased. What an account is while there is
one stands in `domain.account`; what deleting means, in `domain.deletion`, and its passwords in `domain.user_password`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from domain.account import Account, changed, opened
from domain.decider import Decider
from domain.errors import NoSuchUser, TooManyRoles
from domain.event import Sealed
from domain.ids import ClaimId, InvitationId, RoleName, StreamName, UserId
from domain.locale import Locale
from domain.user_events import (
    DeleteReason,
    LocaleChosen,
    NamesReleased,
    PasswordReason,
    PasswordSet,
    ProfileChanged,
    RegisteredBy,
    RoleGranted,
    RoleRevoked,
    SignedOutEverywhere,
    SuspendReason,
    UserDeleted,
    UserErased,
    UserEvent,
    UsernameChanged,
    UserRegistered,
    UserReinstated,
    UserRestored,
    UserSuspended,
)

MOST_ROLES = 64
"""Of one account. All of them are in each token, which has to fit into a header with what else is there: 8 kB in all."""


class Absent(Struct, frozen=True, tag="absent"):
    pass


class Active(Struct, frozen=True, kw_only=True, tag="active"):
    account: Account


class Suspended(Struct, frozen=True, kw_only=True, tag="suspended"):
    account: Account
    reason: SuspendReason
    suspended_at: datetime


class Deleted(Struct, frozen=True, kw_only=True, tag="deleted"):
    """As good as not there, and nobody else can have its names; it may come back as it was, unless its erasure has begun."""

    before: Active | Suspended
    reason: DeleteReason
    deleted_at: datetime
    restorable_until: datetime

    @property
    def account(self) -> Account:
        return self.before.account


class Gone(Struct, frozen=True, kw_only=True, tag="gone"):
    """Nobody's any more: its names are free. What is sealed of it stays until it is erased."""

    account: Account
    deleted_at: datetime
    gone_at: datetime


class Erased(Struct, frozen=True, kw_only=True, tag="erased"):
    """Final. What is left says nothing of a person; `barred` are claims of names that nobody gets before `names_until`."""

    user_id: UserId
    token_epoch: int
    roles_version: int
    erased_at: datetime
    invitations: tuple[InvitationId, ...]
    barred: tuple[ClaimId, ...]
    names_until: datetime | None


User = Absent | Active | Suspended | Deleted | Gone | Erased


def evolve(state: User, event: UserEvent) -> User:
    match event:
        case UserRegistered():
            return Active(account=opened(event))
        case UserSuspended():
            account = replace(account_of(state), token_epoch=event.token_epoch)
            return Suspended(account=account, reason=event.reason, suspended_at=event.at)
        case UserReinstated():
            return Active(account=account_of(state))
        case UserDeleted():
            return _deleted(state, event)
        case UserRestored():
            return state.before if isinstance(state, Deleted) else state
        case NamesReleased():
            deleted_at = state.deleted_at if isinstance(state, Deleted) else event.at
            return Gone(account=account_of(state), deleted_at=deleted_at, gone_at=event.at)
        case UserErased():
            return _erased(event)
        case _:
            return _with_account(state, changed(account_of(state), event))


def _deleted(state: User, event: UserDeleted) -> User:
    if not isinstance(state, Active | Suspended):
        return state
    before = replace(state, account=replace(state.account, token_epoch=event.token_epoch))
    return Deleted(before=before, reason=event.reason, deleted_at=event.at, restorable_until=event.restorable_until)


def _erased(event: UserErased) -> Erased:
    return Erased(
        user_id=event.user_id,
        token_epoch=event.token_epoch,
        roles_version=event.roles_version,
        erased_at=event.at,
        invitations=event.invitations,
        barred=event.barred,
        names_until=event.names_until,
    )


def _with_account(state: User, account: Account) -> User:
    match state:
        case Active() | Suspended() | Gone():
            return replace(state, account=account)
        case Deleted(before=before):
            return replace(state, before=replace(before, account=account))
        case Absent() | Erased():
            return state
        case _:
            assert_never(state)


def account_of(state: User) -> Account:
    """Give the account in any stage past Absent, for looking at it. Raises NoSuchUser when there never was one, or it was erased."""
    if isinstance(state, (Absent, Erased)):  # a union would be made anew for each event
        raise NoSuchUser
    return state.account


def roles_of(state: User) -> tuple[RoleName, ...]:
    """Give the roles of whoever is or was there; none of one that was erased. Raises NoSuchUser when there never was one."""
    return () if isinstance(state, Erased) else account_of(state).roles


def epochs_of(state: User) -> tuple[int, int]:
    """Give the token epoch and the version of the roles, also of one that was erased. Raises NoSuchUser."""
    if isinstance(state, Erased):
        return state.token_epoch, state.roles_version
    account = account_of(state)
    return account.token_epoch, account.roles_version


def present(state: User) -> Account:
    """Give the account something may be done with. Raises NoSuchUser also for one that was deleted."""
    if not isinstance(state, Active | Suspended):
        raise NoSuchUser
    return state.account


decider: Decider[User, UserEvent] = Decider("user", User, 8, Absent(), evolve)  # type: ignore[arg-type]  # a union is a type form


def stream(user_id: UserId) -> StreamName:
    return StreamName(f"user-{user_id}")


def register(
    state: User,
    *,
    user_id: UserId,
    email: Sealed,
    email_claim: ClaimId,
    username: Sealed | None,
    username_claim: ClaimId | None,
    name: Sealed | None,
    password: Sealed,
    roles: Sequence[RoleName],
    registered_by: RegisteredBy,
    reason: PasswordReason = PasswordReason.CHOSEN,
    at: datetime,
) -> Sequence[UserEvent]:
    if not isinstance(state, Absent):
        return []
    return [
        UserRegistered(
            user_id=user_id,
            email=email,
            email_claim=email_claim,
            username=username,
            username_claim=username_claim,
            name=name,
            roles=tuple(sorted(set(roles))),
            registered_by=registered_by,
            at=at,
        ),
        PasswordSet(user_id=user_id, password=password, password_version=1, token_epoch=1, reason=reason, at=at),
    ]


def change_profile(state: User, *, name: Sealed | UnsetType | None, at: datetime) -> Sequence[UserEvent]:
    account = present(state)
    if name is UNSET or name == account.name:
        return []
    return [ProfileChanged(user_id=account.user_id, name=name, at=at)]


def choose_locale(state: User, *, locale: Locale | UnsetType | None, at: datetime) -> Sequence[UserEvent]:
    account = present(state)
    if locale is UNSET or locale == account.locale:
        return []
    return [LocaleChosen(user_id=account.user_id, locale=locale, at=at)]


def change_username(state: User, *, username: Sealed | None, claim: ClaimId | None, at: datetime) -> Sequence[UserEvent]:
    account = present(state)
    if claim == account.username_claim:
        return []
    return [UsernameChanged(user_id=account.user_id, username=username, username_claim=claim, at=at)]


def grant_role(state: User, role: RoleName, *, at: datetime) -> Sequence[UserEvent]:
    """Raises NoSuchUser, TooManyRoles."""
    account = present(state)
    if role in account.roles:
        return []
    if len(account.roles) >= MOST_ROLES:
        raise TooManyRoles
    return [RoleGranted(user_id=account.user_id, role=role, roles_version=account.roles_version + 1, at=at)]


def revoke_role(state: User, role: RoleName, *, at: datetime) -> Sequence[UserEvent]:
    account = present(state)
    if role not in account.roles:
        return []
    return [RoleRevoked(user_id=account.user_id, role=role, roles_version=account.roles_version + 1, at=at)]


def suspend(state: User, *, reason: SuspendReason, note: Sealed | None, at: datetime) -> Sequence[UserEvent]:
    account = present(state)
    if isinstance(state, Suspended):
        return []
    return [UserSuspended(user_id=account.user_id, reason=reason, note=note, token_epoch=account.token_epoch + 1, at=at)]


def reinstate(state: User, *, at: datetime) -> Sequence[UserEvent]:
    account = present(state)
    return [UserReinstated(user_id=account.user_id, at=at)] if isinstance(state, Suspended) else []


def sign_out_everywhere(state: User, *, at: datetime) -> Sequence[UserEvent]:
    account = present(state)
    return [SignedOutEverywhere(user_id=account.user_id, token_epoch=account.token_epoch + 1, at=at)]
