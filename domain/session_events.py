"""What can happen to a sign-in. `domain/session.py` says what it means and when it may."""

from datetime import datetime
from enum import StrEnum

from domain.event import Event, Sealed
from domain.ids import AudienceSlug, ClientSlug, SessionId, UserId
from domain.suspicion import Review, Signal


class AuthMethod(StrEnum):
    """Values of `amr` (RFC 8176), and two of our own: a mailed code and a recovery code."""

    PASSWORD = "pwd"
    OTP = "otp"
    """A code by time (RFC 6238)."""
    PASSKEY = "pop"
    """Proof of possession of a key (WebAuthn)."""
    USER_VERIFIED = "user"
    """The authenticator made sure of its user, by PIN or body."""
    EMAIL = "email"
    RECOVERY = "recovery"
    MULTI = "mfa"
    """Two factors. Only in tokens, where it follows from the others."""


class EndReason(StrEnum):
    LOGOUT = "logout"
    SELF_TARGETED = "self_targeted"
    SELF_REVOKE_OTHERS = "self_revoke_others"
    ADMIN_TARGETED = "admin_targeted"
    ADMIN_REVOKE_ALL = "admin_revoke_all"
    ADMIN_FILTERED = "admin_filtered"
    SESSION_LIMIT = "session_limit"
    """A newer session took its place."""
    REFRESH_REUSED = "refresh_reused"


class SessionStarted(Event, frozen=True, kw_only=True, tag="session.started.v1"):
    """`seed` is worth nothing without the refresh key, which is never in the database (threats.md 1)."""

    session_id: SessionId
    user_id: UserId
    token_epoch: int
    audiences: tuple[AudienceSlug, ...]
    client_id: ClientSlug
    amr: tuple[AuthMethod, ...]
    seed: bytes
    idle_ttl: int
    expires_at: datetime
    network: Sealed | None
    user_agent: Sealed | None
    device_name: Sealed | None

    def __repr__(self) -> str:
        return f"SessionStarted(session_id={self.session_id}, user_id={self.user_id}, at={self.at})"


class TokenIssued(Event, frozen=True, kw_only=True, tag="session.token_issued.v1"):
    """The first token of a session (generation 1), or a refresh."""

    session_id: SessionId
    user_id: UserId
    generation: int
    key_version: int
    audience: AudienceSlug
    access_expires_at: datetime
    idle_expires_at: datetime


class RefreshReused(Event, frozen=True, kw_only=True, tag="session.refresh_reused.v1"):
    """A genuine refresh token that had been replaced came back: somebody has a copy, so the family ends."""

    session_id: SessionId
    user_id: UserId
    generation: int
    current_generation: int


class Reauthenticated(Event, frozen=True, kw_only=True, omit_defaults=True, tag="session.reauthenticated.v1"):
    session_id: SessionId
    user_id: UserId
    method: AuthMethod
    also: tuple[AuthMethod, ...] = ()
    """What was shown together with it."""


class SessionRebased(Event, frozen=True, kw_only=True, tag="session.rebased.v1"):
    """Lives on under the user's new token epoch: the session that changed the password or signed the others out."""

    session_id: SessionId
    user_id: UserId
    token_epoch: int


class SessionRevoked(Event, frozen=True, kw_only=True, tag="session.revoked.v1"):
    session_id: SessionId
    user_id: UserId
    reason: EndReason


class SessionFlagged(Event, frozen=True, kw_only=True, tag="session.flagged.v1"):
    """Its sign-in was suspicious."""

    session_id: SessionId
    user_id: UserId
    signals: tuple[Signal, ...]


class SessionReviewed(Event, frozen=True, kw_only=True, tag="session.reviewed.v1"):
    """Somebody has looked into a suspicious session."""

    session_id: SessionId
    user_id: UserId
    review: Review


class DeviceNamed(Event, frozen=True, kw_only=True, tag="session.device_named.v1"):
    """Its owner calls the device something, or nothing any more."""

    session_id: SessionId
    user_id: UserId
    device_name: Sealed | None


class SessionErased(Event, frozen=True, kw_only=True, tag="session.erased.v1"):
    """Its user was erased: the last event of its stream."""

    session_id: SessionId
    user_id: UserId


SessionEvent = (
    SessionStarted | TokenIssued | RefreshReused | Reauthenticated | SessionRebased | SessionRevoked
    | SessionFlagged | SessionReviewed | DeviceNamed | SessionErased
)  # fmt: skip
