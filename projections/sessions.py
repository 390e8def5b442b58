"""Sessions as people and administrators list them. Whether a token is good is never asked here, but of the heads.

Nothing writes into a session that its user left it behind or that its time ran out: that is worked out when it is read.
"""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from domain.event import Recorded, Sealed
from domain.ids import AudienceName, ClientId, SessionId, UserId
from domain.session_events import (
    AuthMethod,
    DeviceNamed,
    EndReason,
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
from domain.suspicion import Review, Signal
from projections.projection import Entity, begins, when
from projections.sql import beside


class SessionRow(Struct, frozen=True, kw_only=True):
    session_id: SessionId
    user_id: UserId
    token_epoch: int
    client_id: ClientId
    audiences: tuple[AudienceName, ...]
    amr: tuple[AuthMethod, ...]
    started_at: datetime
    reauthenticated_at: datetime | None
    generation: int
    """How many tokens it was given; 1 means never refreshed."""
    refreshed_at: datetime
    idle_expires_at: datetime
    expires_at: datetime
    network: Sealed | None
    user_agent: Sealed | None
    device_name: Sealed | None
    ended_at: datetime | None
    end_reason: EndReason | None
    signals: tuple[Signal, ...]
    """What was suspicious about its sign-in; empty where nothing was."""
    review: Review | None


def _started(recorded: Recorded[SessionStarted]) -> SessionRow:
    event = recorded.event
    return SessionRow(
        session_id=event.session_id,
        user_id=event.user_id,
        token_epoch=event.token_epoch,
        client_id=event.client_id,
        audiences=event.audiences,
        amr=event.amr,
        started_at=event.at,
        reauthenticated_at=None,
        generation=0,
        refreshed_at=event.at,
        idle_expires_at=event.expires_at,
        expires_at=event.expires_at,
        network=event.network,
        user_agent=event.user_agent,
        device_name=event.device_name,
        ended_at=None,
        end_reason=None,
        signals=(),
        review=None,
    )


def _token_issued(row: SessionRow, recorded: Recorded[TokenIssued]) -> SessionRow:
    event = recorded.event
    return replace(row, generation=event.generation, refreshed_at=event.at, idle_expires_at=event.idle_expires_at)


def _reauthenticated(row: SessionRow, recorded: Recorded[Reauthenticated]) -> SessionRow:
    return replace(row, reauthenticated_at=recorded.event.at)


def _rebased(row: SessionRow, recorded: Recorded[SessionRebased]) -> SessionRow:
    return replace(row, token_epoch=recorded.event.token_epoch)


def _revoked(row: SessionRow, recorded: Recorded[SessionRevoked]) -> SessionRow:
    return replace(row, ended_at=recorded.event.at, end_reason=recorded.event.reason)


def _reused(row: SessionRow, recorded: Recorded[RefreshReused]) -> SessionRow:
    return replace(row, ended_at=recorded.event.at, end_reason=EndReason.REFRESH_REUSED)


def _flagged(row: SessionRow, recorded: Recorded[SessionFlagged]) -> SessionRow:
    return replace(row, signals=recorded.event.signals, review=Review.OPEN)


def _looked_into(row: SessionRow, recorded: Recorded[SessionReviewed]) -> SessionRow:
    return replace(row, review=recorded.event.review)


def _device_named(row: SessionRow, recorded: Recorded[DeviceNamed]) -> SessionRow:
    return replace(row, device_name=recorded.event.device_name)


sessions = Entity(
    "sessions",
    3,
    "session",
    SessionRow,
    (
        begins(SessionStarted, _started),
        when(TokenIssued, _token_issued),
        when(Reauthenticated, _reauthenticated),
        when(SessionRebased, _rebased),
        when(SessionRevoked, _revoked),
        when(RefreshReused, _reused),
        when(SessionFlagged, _flagged),
        when(SessionReviewed, _looked_into),
        when(DeviceNamed, _device_named),
    ),
    ignores=(),
    sql=beside(__file__),
    ends=(SessionErased,),
)
