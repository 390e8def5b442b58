"""What a session is at a moment, and what each event makes of it."""

from datetime import datetime
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain.ids import AudienceSlug, ClientSlug, SessionId, UserId
from domain.session_events import (
    AuthMethod,
    DeviceNamed,
    EndReason,
    Reauthenticated,
    RefreshReused,
    SessionErased,
    SessionEvent,
    SessionFlagged,
    SessionRebased,
    SessionReviewed,
    SessionRevoked,
    SessionStarted,
    TokenIssued,
)
from domain.suspicion import Review


class Proof(Struct, frozen=True, array_like=True):
    method: AuthMethod
    at: datetime


class Absent(Struct, frozen=True, tag="absent"):
    pass


class Live(Struct, frozen=True, kw_only=True, tag="live"):
    session_id: SessionId
    user_id: UserId
    token_epoch: int
    audiences: tuple[AudienceSlug, ...]
    client_id: ClientSlug
    proofs: tuple[Proof, ...]
    """Each method that was ever shown in this session, and when last (threats.md 5)."""
    seed: bytes
    auth_time: datetime
    reauthenticated_at: datetime | None
    idle_ttl: int
    expires_at: datetime
    idle_expires_at: datetime
    generation: int
    oldest_generation: int
    """Refresh tokens before it belong to an epoch that is over: they are dead, not reused, and have no grace."""
    key_version: int
    audience: AudienceSlug
    rotated_at: datetime
    review: Review | None = None
    """Of a suspicious one, how far it has been looked into."""

    def __repr__(self) -> str:
        return f"Live(session_id={self.session_id}, generation={self.generation})"


class Ended(Struct, frozen=True, kw_only=True, tag="ended"):
    session_id: SessionId
    user_id: UserId
    reason: EndReason
    ended_at: datetime
    review: Review | None = None


class Forgotten(Struct, frozen=True, kw_only=True, tag="forgotten"):
    """Whose it was is erased. Final: nothing else is known of it."""

    forgotten_at: datetime


Session = Absent | Live | Ended | Forgotten


def evolve(state: Session, event: SessionEvent) -> Session:
    match event:
        case TokenIssued() | Reauthenticated() | SessionRebased():  # first, as nearly all are
            return _moved_on(state, event) if isinstance(state, Live) else state
        case SessionStarted():
            return _begun(event)
        case SessionRevoked():
            return _over(state, event, event.reason)
        case RefreshReused():
            return _over(state, event, EndReason.REFRESH_REUSED)
        case SessionFlagged():
            return _reviewed(state, Review.OPEN)
        case SessionReviewed():
            return _reviewed(state, event.review)
        case DeviceNamed():
            return state
        case SessionErased():
            return Forgotten(forgotten_at=event.at)
        case _:
            assert_never(event)


def _begun(event: SessionStarted) -> Live:
    return Live(
        session_id=event.session_id,
        user_id=event.user_id,
        token_epoch=event.token_epoch,
        audiences=event.audiences,
        client_id=event.client_id,
        proofs=tuple(Proof(method, event.at) for method in event.amr),
        seed=event.seed,
        auth_time=event.at,
        reauthenticated_at=None,
        idle_ttl=event.idle_ttl,
        expires_at=event.expires_at,
        idle_expires_at=event.expires_at,
        generation=0,
        oldest_generation=1,
        key_version=0,
        audience=event.audiences[0],
        rotated_at=event.at,
    )


def _over(state: Session, event: SessionRevoked | RefreshReused, reason: EndReason) -> Ended:
    review = None if isinstance(state, Absent | Forgotten) else state.review
    return Ended(session_id=event.session_id, user_id=event.user_id, reason=reason, ended_at=event.at, review=review)


def _reviewed(state: Session, review: Review) -> Session:
    return state if isinstance(state, Absent | Forgotten) else replace(state, review=review)


def _moved_on(state: Live, event: TokenIssued | Reauthenticated | SessionRebased) -> Live:
    match event:
        case TokenIssued():
            return replace(
                state,
                generation=event.generation,
                key_version=event.key_version,
                audience=event.audience,
                idle_expires_at=event.idle_expires_at,
                rotated_at=event.at,
            )
        case Reauthenticated():
            shown = (event.method, *event.also)
            kept = (proof for proof in state.proofs if proof.method not in shown)
            return replace(state, reauthenticated_at=event.at, proofs=(*kept, *(Proof(method, event.at) for method in shown)))
        case SessionRebased():
            return replace(state, token_epoch=event.token_epoch, oldest_generation=state.generation + 1)
        case _:
            assert_never(event)
