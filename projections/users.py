"""Accounts as administrators list them. Addresses and names stay closed; who may see them opens them when answering."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from domain.event import Recorded, Sealed
from domain.ids import RoleName, UserId
from domain.user import stream
from domain.user_events import (
    DeleteReason,
    EarlierEmailReleased,
    EmailChanged,
    EmailRestored,
    EmailVerified,
    LocaleChosen,
    NamesReleased,
    PasswordRehashed,
    PasswordSet,
    PasswordsForgotten,
    ProfileChanged,
    RegisteredBy,
    RoleGranted,
    RoleRevoked,
    SignedOutEverywhere,
    SuspendReason,
    UserDeleted,
    UserErased,
    UsernameChanged,
    UserRegistered,
    UserReinstated,
    UserRestored,
    UserSuspended,
)
from projections.completion import Completed, completed
from projections.projection import Entity, begins, when
from projections.reading import Page, ReadModels
from projections.sql import beside


class UserStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    DELETED = "deleted"
    GONE = "gone"


PRESENT = (UserStatus.ACTIVE, UserStatus.SUSPENDED)


class UserRow(Struct, frozen=True, kw_only=True):
    user_id: UserId
    status: UserStatus
    roles: tuple[RoleName, ...]
    roles_version: int
    token_epoch: int
    password_version: int
    email: Sealed
    email_verified: bool
    username: Sealed | None
    name: Sealed | None
    registered_by: RegisteredBy
    registered_at: datetime
    updated_at: datetime
    suspended_at: datetime | None
    suspend_reason: SuspendReason | None
    """While it is suspended, and of a deleted account that was."""
    deleted_at: datetime | None
    delete_reason: DeleteReason | None
    restorable_until: datetime | None
    undo_until: datetime | None
    """Until when the last change of address can be taken back; from then on the earlier one is due to be released."""


def _registered(recorded: Recorded[UserRegistered]) -> UserRow:
    event = recorded.event
    return UserRow(
        user_id=event.user_id,
        status=UserStatus.ACTIVE,
        roles=event.roles,
        roles_version=1,
        token_epoch=1,
        password_version=0,
        email=event.email,
        email_verified=False,
        username=event.username,
        name=event.name,
        registered_by=event.registered_by,
        registered_at=event.at,
        updated_at=event.at,
        suspended_at=None,
        suspend_reason=None,
        deleted_at=None,
        delete_reason=None,
        restorable_until=None,
        undo_until=None,
    )


def _password_set(row: UserRow, recorded: Recorded[PasswordSet]) -> UserRow:
    event = recorded.event
    return replace(row, password_version=event.password_version, token_epoch=event.token_epoch, updated_at=event.at)


def _email_verified(row: UserRow, recorded: Recorded[EmailVerified]) -> UserRow:
    return replace(row, email_verified=True, updated_at=recorded.event.at)


def _email_changed(row: UserRow, recorded: Recorded[EmailChanged]) -> UserRow:
    event = recorded.event
    return replace(row, email=event.email, email_verified=True, undo_until=event.undo_until, updated_at=event.at)


def _email_restored(row: UserRow, recorded: Recorded[EmailRestored]) -> UserRow:
    return replace(row, email=recorded.event.email, email_verified=True, undo_until=None, updated_at=recorded.event.at)


def _earlier_email_released(row: UserRow, recorded: Recorded[EarlierEmailReleased]) -> UserRow:
    return replace(row, undo_until=None, updated_at=recorded.event.at)


def _profile_changed(row: UserRow, recorded: Recorded[ProfileChanged]) -> UserRow:
    return replace(row, name=recorded.event.name, updated_at=recorded.event.at)


def _username_changed(row: UserRow, recorded: Recorded[UsernameChanged]) -> UserRow:
    return replace(row, username=recorded.event.username, updated_at=recorded.event.at)


def _role_granted(row: UserRow, recorded: Recorded[RoleGranted]) -> UserRow:
    event = recorded.event
    roles = tuple(sorted({*row.roles, event.role}))
    return replace(row, roles=roles, roles_version=event.roles_version, updated_at=event.at)


def _role_revoked(row: UserRow, recorded: Recorded[RoleRevoked]) -> UserRow:
    event = recorded.event
    roles = tuple(role for role in row.roles if role != event.role)
    return replace(row, roles=roles, roles_version=event.roles_version, updated_at=event.at)


def _suspended(row: UserRow, recorded: Recorded[UserSuspended]) -> UserRow:
    event = recorded.event
    return replace(
        row,
        status=UserStatus.SUSPENDED,
        token_epoch=event.token_epoch,
        suspended_at=event.at,
        suspend_reason=event.reason,
        updated_at=event.at,
    )


def _reinstated(row: UserRow, recorded: Recorded[UserReinstated]) -> UserRow:
    return replace(row, status=UserStatus.ACTIVE, suspended_at=None, suspend_reason=None, updated_at=recorded.event.at)


def _deleted(row: UserRow, recorded: Recorded[UserDeleted]) -> UserRow:
    event = recorded.event
    return replace(
        row,
        status=UserStatus.DELETED,
        token_epoch=event.token_epoch,
        deleted_at=event.at,
        delete_reason=event.reason,
        restorable_until=event.restorable_until,
        updated_at=event.at,
    )


def _restored(row: UserRow, recorded: Recorded[UserRestored]) -> UserRow:
    status = UserStatus.ACTIVE if row.suspended_at is None else UserStatus.SUSPENDED
    return replace(row, status=status, deleted_at=None, delete_reason=None, restorable_until=None, updated_at=recorded.event.at)


def _names_released(row: UserRow, recorded: Recorded[NamesReleased]) -> UserRow:
    return replace(row, status=UserStatus.GONE, restorable_until=None, undo_until=None, updated_at=recorded.event.at)


def _signed_out(row: UserRow, recorded: Recorded[SignedOutEverywhere]) -> UserRow:
    return replace(row, token_epoch=recorded.event.token_epoch, updated_at=recorded.event.at)


_SQL = beside(__file__)

users = Entity(
    "users",
    5,
    "user",
    UserRow,
    (
        begins(UserRegistered, _registered),
        when(PasswordSet, _password_set),
        when(EmailVerified, _email_verified),
        when(EmailChanged, _email_changed),
        when(EmailRestored, _email_restored),
        when(EarlierEmailReleased, _earlier_email_released),
        when(ProfileChanged, _profile_changed),
        when(UsernameChanged, _username_changed),
        when(RoleGranted, _role_granted),
        when(RoleRevoked, _role_revoked),
        when(UserSuspended, _suspended),
        when(UserReinstated, _reinstated),
        when(UserDeleted, _deleted),
        when(UserRestored, _restored),
        when(NamesReleased, _names_released),
        when(SignedOutEverywhere, _signed_out),
    ),
    ignores=(PasswordRehashed, PasswordsForgotten, LocaleChosen),
    sql=_SQL,
    ends=(UserErased,),
)


async def page(
    models: ReadModels,
    *,
    only: UserId | None = None,
    role: RoleName | None = None,
    status: UserStatus | None = None,
    verified: bool | None = None,
    after: UserId | None = None,
    limit: int = 50,
) -> Page[UserRow, UserId]:
    """List accounts, newest first: those of one status, or all that were not deleted; of any status the one that is asked for alone.

    Raises StoreUnavailable.
    """
    statuses = (status,) if status is not None else PRESENT if only is None else None
    wanted = {"alone": only, "with_role": role, "with_status": statuses, "with_verified": verified, "after": after}
    return await models.page(users, wanted, limit, lambda row: row.user_id)


async def past_restoring(models: ReadModels, limit: int) -> Sequence[UserId]:
    """Give deleted accounts whose time to be restored is over, the longest first."""
    return [UserId(record["user_id"]) for record in await models.fetch(users, _SQL["past_restoring"], limit)]


async def past_undoing(models: ReadModels, limit: int) -> Sequence[UserId]:
    """Give accounts whose earlier address can no longer be taken back, the longest first."""
    return [UserId(record["user_id"]) for record in await models.fetch(users, _SQL["past_undoing"], limit)]


async def get(models: ReadModels, user_id: UserId) -> Completed[UserRow] | None:
    """Give one account as its stream is now, whether or not the projector has come by. None when there is none."""
    return await completed(models, users, stream(user_id))
