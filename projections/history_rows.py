"""What an account's history says of each event: a row for what is worth telling."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from msgspec import Struct

from domain.action import ActionConsumed
from domain.api_key import ApiKeyMade, ApiKeyRevoked, ApiKeyRotated
from domain.attributes import AttributesSet
from domain.codec import tag_of
from domain.erasure_events import ErasureAsked, ErasureBegun, ErasureCompleted, ErasurePostponed, ErasureWithdrawn
from domain.event import Event, Recorded, Sealed
from domain.factor_events import (
    FactorRemoved,
    GuessingPaused,
    MailedCodesEnabled,
    PasskeyRegistered,
    PasskeyRegressed,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    TotpConfirmed,
)
from domain.ids import RoleName, SessionId, StreamName, UserId
from domain.password_reset import PasswordResetAsked
from domain.session_events import Reauthenticated, RefreshReused, SessionFlagged, SessionRevoked, SessionStarted
from domain.sign_in_guard import SignInLocked
from domain.user_events import (
    EmailChanged,
    EmailRestored,
    EmailVerified,
    LocaleChosen,
    NamesReleased,
    PasswordSet,
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


WRITES: dict[type[Event], Callable[[Recorded[Any]], HistoryRow | None]] = {
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
