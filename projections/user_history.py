"""What happened to each account, for its owner and for support: one row per event worth telling."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, get_args

from msgspec import Struct

from domain.action import ActionConsumed
from domain.action_catalogue import ActionsEvent
from domain.administrators import AdministratorAdded, AdministratorRemoved
from domain.api_key import ApiKeyErased, ApiKeyExpiresSoon, ApiKeyMade, ApiKeyRevoked, ApiKeyRotated
from domain.attributes import AttributesSet
from domain.audience import AudienceEvent
from domain.audit import AuditAsked
from domain.bootstrap import BootstrapCompleted
from domain.claim import ClaimReleased, ClaimTaken
from domain.client_events import ClientEvent
from domain.codec import tag_of
from domain.erasure_events import (
    ErasureAcknowledged,
    ErasureAsked,
    ErasureBegun,
    ErasureCompleted,
    ErasureNamesReleased,
    ErasurePostponed,
    ErasureReminded,
    ErasureWithdrawn,
)
from domain.event import Event, Recorded, Sealed
from domain.factor_events import (
    FactorNamed,
    FactorRemoved,
    FactorsErased,
    GuessingPaused,
    MailedCodesEnabled,
    MailedCodeUsed,
    PasskeyRegistered,
    PasskeyRegressed,
    PasskeyUsed,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    TotpConfirmed,
    TotpOffered,
    TotpUsed,
)
from domain.factor_policy import FactorPolicyEvent
from domain.ids import RoleName, SessionId, StreamName, UserId
from domain.invitation import InvitationEvent
from domain.key_owner import KeyOwnerEvent
from domain.log import LogEvent
from domain.machine_token import MachineTokenEvent
from domain.password_reset import PasswordResetAsked, PasswordResetUsed
from domain.role import RoleDefined, RolePermissionsChanged, RoleRetired
from domain.session_events import (
    DeviceNamed,
    Reauthenticated,
    RefreshReused,
    SessionErased,
    SessionFlagged,
    SessionRebased,
    SessionReviewed,
    SessionRevoked,
    SessionStarted,
    TokenIssued,
)
from domain.sign_in_guard import SignInLocked
from domain.signing_key import SigningKeyCreated, SigningKeyPledged, SigningKeyPromoted, SigningKeyRetired, SigningKeyRevoked
from domain.user_events import (
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
    RoleGranted,
    RoleRevoked,
    SignedOutEverywhere,
    UserDeleted,
    UserErased,
    UsernameChanged,
    UserRegistered,
    UserReinstated,
    UserRestored,
    UserSuspended,
)
from domain.vault_keys import VaultKeysEvent
from projections.projection import Journal
from projections.reading import Page, ReadModels
from projections.sql import beside


class HistoryRow(Struct, frozen=True, kw_only=True):
    position: int
    user_id: UserId
    at: datetime
    type: str
    actor: str
    """Who did it: `user:<id>`, `system:<part>` or `anonymous`."""
    session_id: SessionId | None
    """The session it happened to, else the one it was done from."""
    role: RoleName | None
    reason: str | None
    until: datetime | None
    stream: StreamName
    """What the sealed fields are bound to, together with their names."""
    network: Sealed | None
    user_agent: Sealed | None
    device_name: Sealed | None


def _row(
    recorded: Recorded[Any],
    *,
    session_id: SessionId | None = None,
    role: RoleName | None = None,
    reason: str | None = None,
    until: datetime | None = None,
    started: SessionStarted | None = None,
) -> HistoryRow:
    position = recorded.position
    if position is None:
        raise ValueError("a journal row needs the position of its event")
    return HistoryRow(
        position=position,
        user_id=recorded.event.user_id,
        at=recorded.event.at,
        type=tag_of(recorded.event),
        actor=recorded.actor,
        session_id=session_id or recorded.session_id,
        role=role,
        reason=reason,
        until=until,
        stream=recorded.stream,
        network=started.network if started else None,
        user_agent=started.user_agent if started else None,
        device_name=started.device_name if started else None,
    )


def _with_reason(recorded: Recorded[PasswordSet] | Recorded[UserSuspended] | Recorded[UserDeleted]) -> HistoryRow:
    return _row(recorded, reason=recorded.event.reason)


def _with_role(recorded: Recorded[RoleGranted] | Recorded[RoleRevoked]) -> HistoryRow:
    return _row(recorded, role=recorded.event.role)


def _erasure_due(recorded: Recorded[ErasureAsked] | Recorded[ErasurePostponed]) -> HistoryRow:
    return _row(recorded, until=recorded.event.due_at)


def _erased(recorded: Recorded[UserErased]) -> HistoryRow:
    return _row(recorded, reason=recorded.event.asked_by)


def _registered(recorded: Recorded[UserRegistered]) -> HistoryRow:
    return _row(recorded, reason=recorded.event.registered_by)


def _factor_removed(recorded: Recorded[FactorRemoved]) -> HistoryRow:
    return _row(recorded, reason=recorded.event.why)


def _locked(recorded: Recorded[SignInLocked] | Recorded[GuessingPaused]) -> HistoryRow:
    return _row(recorded, until=recorded.event.until)


def _session_started(recorded: Recorded[SessionStarted]) -> HistoryRow:
    return _row(recorded, session_id=recorded.event.session_id, started=recorded.event)


def _session_flagged(recorded: Recorded[SessionFlagged]) -> HistoryRow:
    return _row(recorded, session_id=recorded.event.session_id, reason=" ".join(recorded.event.signals))


def _session_revoked(recorded: Recorded[SessionRevoked]) -> HistoryRow:
    return _row(recorded, session_id=recorded.event.session_id, reason=recorded.event.reason)


def _action_consumed(recorded: Recorded[ActionConsumed]) -> HistoryRow:
    event = recorded.event
    return _row(recorded, session_id=event.session_id, reason=f"{event.audience}:{event.action}")


def _in_session(recorded: Recorded[RefreshReused] | Recorded[Reauthenticated]) -> HistoryRow:
    return _row(recorded, session_id=recorded.event.session_id)


def _of_key(recorded: Recorded[Any]) -> HistoryRow | None:
    """A service account's key is nobody's account."""
    return None if recorded.event.user_id is None else _row(recorded)


def _key_revoked(recorded: Recorded[ApiKeyRevoked]) -> HistoryRow | None:
    return None if recorded.event.user_id is None else _row(recorded, reason=recorded.event.reason)


_WRITES: dict[type[Event], Callable[[Recorded[Any]], HistoryRow | None]] = {
    UserRegistered: _registered,
    EmailVerified: _row,
    EmailChanged: _row,
    EmailRestored: _row,
    PasswordResetAsked: _row,
    PasswordSet: _with_reason,
    ProfileChanged: _row,
    UsernameChanged: _row,
    LocaleChosen: _row,
    AttributesSet: _row,
    ErasureAsked: _erasure_due,
    ErasurePostponed: _erasure_due,
    ErasureWithdrawn: _row,
    ErasureBegun: _row,
    UserErased: _erased,
    ErasureCompleted: _row,
    RoleGranted: _with_role,
    RoleRevoked: _with_role,
    UserSuspended: _with_reason,
    UserReinstated: _row,
    UserDeleted: _with_reason,
    UserRestored: _row,
    NamesReleased: _row,
    SignedOutEverywhere: _row,
    SessionStarted: _session_started,
    SessionRevoked: _session_revoked,
    SessionFlagged: _session_flagged,
    RefreshReused: _in_session,
    Reauthenticated: _in_session,
    SignInLocked: _locked,
    ApiKeyMade: _of_key,
    ApiKeyRotated: _of_key,
    ApiKeyRevoked: _key_revoked,
    TotpConfirmed: _row,
    PasskeyRegistered: _row,
    MailedCodesEnabled: _row,
    PasskeyRegressed: _row,
    FactorRemoved: _factor_removed,
    RecoveryCodesMade: _row,
    RecoveryCodeUsed: _row,
    GuessingPaused: _locked,
    ActionConsumed: _action_consumed,
}
_SQL = beside(__file__)

user_history: Journal[HistoryRow] = Journal(
    "user_history",
    9,
    HistoryRow,
    _WRITES,
    # Claims, administrators, invitations and the bootstrap repeat what the account's own stream says; a refresh, a rebase and a
    # stronger hash of the same password are nothing its owner did; roles, keys, machines and actions are nobody's account, and what was
    # asked of the past nothing that happened to one.
    # A factor that was used is told by the session it began.
    ignores=(
        PasswordRehashed,
        PasswordsForgotten,
        EarlierEmailReleased,
        ErasureNamesReleased,
        ErasureReminded,
        ErasureAcknowledged,
        SessionErased,
        ApiKeyErased,
        FactorsErased,
        PasswordResetUsed,
        TokenIssued,
        SessionRebased,
        SessionReviewed,
        DeviceNamed,
        ClaimTaken,
        ClaimReleased,
        AdministratorAdded,
        AdministratorRemoved,
        BootstrapCompleted,
        RoleDefined,
        RolePermissionsChanged,
        RoleRetired,
        SigningKeyCreated,
        SigningKeyPromoted,
        SigningKeyPledged,
        SigningKeyRetired,
        SigningKeyRevoked,
        *get_args(KeyOwnerEvent),
        ApiKeyExpiresSoon,
        *get_args(AudienceEvent),
        *get_args(FactorPolicyEvent),
        *get_args(InvitationEvent),
        *get_args(ClientEvent),
        *get_args(MachineTokenEvent),
        TotpOffered,
        TotpUsed,
        PasskeyUsed,
        MailedCodeUsed,
        FactorNamed,
        *get_args(ActionsEvent),
        AuditAsked,
        *get_args(LogEvent),
        *get_args(VaultKeysEvent),
    ),
    sql=_SQL,
    copies=("stream", "actor"),
)


async def of_user(models: ReadModels, user_id: UserId, *, after: int | None = None, limit: int = 50) -> Page[HistoryRow, int]:
    """List what happened to an account, newest first. Raises StoreUnavailable."""
    return await models.page(user_history, {"of_user": user_id, "after": after}, limit, lambda row: row.position)
