"""A sign-in on one device, and the family of refresh tokens that keeps it going.

Stages: Absent -> Live -> Ended. Expiry is read from the times, never written. A refresh token names its generation;
presenting one tells apart the current (rotate), the one before within the grace (repeat) and an older one (reuse).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain.decider import Decider
from domain.errors import AudienceNotAllowed, InvalidRefreshToken, NoSuchSession, SessionEnded
from domain.event import Sealed
from domain.ids import AudienceName, AudienceSlug, ClientId, ClientSlug, SessionId, StreamName, UserId
from domain.session_events import (
    AuthMethod,
    DeviceNamed,
    EndReason,
    Reauthenticated,
    RefreshReused,
    SessionEvent,
    SessionFlagged,
    SessionRebased,
    SessionReviewed,
    SessionRevoked,
    SessionStarted,
    TokenIssued,
)
from domain.suspicion import Review, Signal

MINOS = AudienceName("minos")
"""The audience of Minos itself; a session has it only when its sign-in named no other (threats.md 7)."""


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


Session = Absent | Live | Ended


def evolve(state: Session, event: SessionEvent) -> Session:
    match event:
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
        case TokenIssued() | Reauthenticated() | SessionRebased():
            return _moved_on(state, event) if isinstance(state, Live) else state
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
    review = None if isinstance(state, Absent) else state.review
    return Ended(session_id=event.session_id, user_id=event.user_id, reason=reason, ended_at=event.at, review=review)


def _reviewed(state: Session, review: Review) -> Session:
    return state if isinstance(state, Absent) else replace(state, review=review)


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


decider: Decider[Session, SessionEvent] = Decider("session", Session, 4, Absent(), evolve)  # type: ignore[arg-type]  # a union is a type form


def stream(session_id: SessionId) -> StreamName:
    return StreamName(f"session-{session_id}")


def start(
    state: Session,
    *,
    session_id: SessionId,
    user_id: UserId,
    token_epoch: int,
    audiences: Sequence[AudienceName],
    client_id: ClientId,
    amr: Sequence[AuthMethod],
    seed: bytes,
    idle_ttl: int,
    absolute_ttl: int,
    network: Sealed | None,
    user_agent: Sealed | None,
    device_name: Sealed | None,
    at: datetime,
) -> Sequence[SessionEvent]:
    """Begin a session; times to live are in whole seconds. Follow it with `issue`. Raises AudienceNotAllowed without any."""
    if not isinstance(state, Absent):
        return []
    if not audiences:
        raise AudienceNotAllowed
    return [
        SessionStarted(
            session_id=session_id,
            user_id=user_id,
            token_epoch=token_epoch,
            audiences=tuple(audiences),
            client_id=client_id,
            amr=tuple(amr),
            seed=seed,
            idle_ttl=idle_ttl,
            expires_at=at + timedelta(seconds=absolute_ttl),
            network=network,
            user_agent=user_agent,
            device_name=device_name,
            at=at,
        )
    ]


def issue(state: Session, *, audience: AudienceName, key_version: int, access_ttl: int, at: datetime) -> Sequence[SessionEvent]:
    """Issue the next generation. Raises SessionEnded, or AudienceNotAllowed for one the session was not started for."""
    live = _alive(state, at=at)
    if audience not in live.audiences:
        raise AudienceNotAllowed
    return [
        TokenIssued(
            session_id=live.session_id,
            user_id=live.user_id,
            generation=live.generation + 1,
            key_version=key_version,
            audience=audience,
            access_expires_at=min(at + timedelta(seconds=access_ttl), live.expires_at),
            idle_expires_at=min(at + timedelta(seconds=live.idle_ttl), live.expires_at),
            at=at,
        )
    ]


def refresh(
    state: Session,
    *,
    generation: int,
    user_epoch: int,
    audience: AudienceName | None,
    key_version: int,
    access_ttl: int,
    grace: int,
    at: datetime,
) -> Sequence[SessionEvent]:
    """Decide on a genuine refresh token: rotate, repeat (no events: answer with the current generation), or end the family.

    `grace` is in seconds, counted from the rotation and never extended. Raises InvalidRefreshToken for a session that
    is over or was left behind by its user's token epoch; nothing more is ever written to it.
    """
    if not isinstance(state, Live) or not is_live(state, user_epoch=user_epoch, at=at):
        raise InvalidRefreshToken
    if not state.oldest_generation <= generation <= state.generation:
        raise InvalidRefreshToken
    if generation == state.generation:
        wanted = audience or state.audience
        return issue(state, audience=wanted, key_version=key_version, access_ttl=access_ttl, at=at)
    if generation == state.generation - 1 and at - state.rotated_at < timedelta(seconds=grace):
        if audience is not None and audience not in state.audiences:
            raise AudienceNotAllowed
        return []
    return [
        RefreshReused(
            session_id=state.session_id,
            user_id=state.user_id,
            generation=generation,
            current_generation=state.generation,
            at=at,
        )
    ]


def reauthenticate(state: Session, *, methods: Sequence[AuthMethod], at: datetime) -> Sequence[SessionEvent]:
    """Record what was shown just now: one method at least."""
    live = _alive(state, at=at)
    method, *also = methods
    return [Reauthenticated(session_id=live.session_id, user_id=live.user_id, method=method, also=tuple(also), at=at)]


def flag(state: Session, *, signals: Sequence[Signal], at: datetime) -> Sequence[SessionEvent]:
    """Say what is suspicious about a session as it begins; nothing, where nothing is."""
    if not signals or not isinstance(state, Live) or state.review is not None:
        return []
    return [SessionFlagged(session_id=state.session_id, user_id=state.user_id, signals=tuple(signals), at=at)]


def review(state: Session, *, review: Review, at: datetime) -> Sequence[SessionEvent]:
    """Say how far a suspicious session has been looked into, whether or not it lives. Raises NoSuchSession for one that is not."""
    if isinstance(state, Absent) or state.review is None:
        raise NoSuchSession
    if state.review is review:
        return []
    return [SessionReviewed(session_id=state.session_id, user_id=state.user_id, review=review, at=at)]


def name_device(state: Session, *, owner: UserId, device_name: Sealed | None, at: datetime) -> Sequence[SessionEvent]:
    """Raises NoSuchSession, for another's too; SessionEnded."""
    if isinstance(state, Absent) or state.user_id != owner:
        raise NoSuchSession
    live = _alive(state, at=at)
    return [DeviceNamed(session_id=live.session_id, user_id=live.user_id, device_name=device_name, at=at)]


def rebase(state: Session, *, token_epoch: int, at: datetime) -> Sequence[SessionEvent]:
    """Keep this session while its user's other ones end."""
    live = _alive(state, at=at)
    if live.token_epoch >= token_epoch:
        return []
    return [SessionRebased(session_id=live.session_id, user_id=live.user_id, token_epoch=token_epoch, at=at)]


def revoke(state: Session, *, user_epoch: int, reason: EndReason, at: datetime) -> Sequence[SessionEvent]:
    """End it. One that is over already keeps the reason it has, also where that is its time or its user's token epoch."""
    match state:
        case Absent():
            raise NoSuchSession
        case Ended():
            return []
        case Live():
            if not is_live(state, user_epoch=user_epoch, at=at):
                return []
            return [SessionRevoked(session_id=state.session_id, user_id=state.user_id, reason=reason, at=at)]
        case _:
            assert_never(state)


def end_surplus(of_user: Sequence[Session], *, limit: int, user_epoch: int, at: datetime) -> Sequence[Sequence[SessionEvent]]:
    """End the first of these that live, oldest first, so that there is room for one more under the limit; events for each."""
    alive = [is_live(each, user_epoch=user_epoch, at=at) for each in of_user]
    surplus = max(0, sum(alive) + 1 - limit)
    ended: list[Sequence[SessionEvent]] = []
    for each, lives in zip(of_user, alive, strict=True):
        goes = lives and surplus > 0
        surplus -= goes
        ended.append(revoke(each, user_epoch=user_epoch, reason=EndReason.SESSION_LIMIT, at=at) if goes else [])
    return ended


def revoke_own(state: Session, *, owner: UserId, user_epoch: int, reason: EndReason, at: datetime) -> Sequence[SessionEvent]:
    """Another's session is as absent as one that never was (threats.md 20)."""
    if isinstance(state, Absent) or state.user_id != owner:
        raise NoSuchSession
    return revoke(state, user_epoch=user_epoch, reason=reason, at=at)


def is_live(state: Session, *, user_epoch: int, at: datetime) -> bool:
    """Tell whether the session may still act: not ended, not expired, not left behind by its user's token epoch."""
    return isinstance(state, Live) and state.token_epoch >= user_epoch and at < state.idle_expires_at and at < state.expires_at


def live(state: Session) -> Live:
    """Narrow a session that has to be live. Raises SessionEnded where it is not."""
    if not isinstance(state, Live):
        raise SessionEnded
    return state


def _alive(state: Session, *, at: datetime) -> Live:
    match state:
        case Live() if at < state.expires_at and at < state.idle_expires_at:
            return state
        case Live() | Ended():
            raise SessionEnded
        case Absent():
            raise NoSuchSession
        case _:
            assert_never(state)
