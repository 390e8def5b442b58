"""A sign-in on one device, and the family of refresh tokens that keeps it going.

Stages: Absent -> Live -> Ended, and Forgotten once its user was erased. Expiry is read from the times, never written.
A refresh token names its generation;
presenting one tells apart the current (rotate), the one before within the grace (repeat) and an older one (reuse).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import assert_never

from domain.decider import Decider
from domain.errors import AudienceNotAllowed, InvalidRefreshToken, NoSuchSession, SessionEnded
from domain.event import Sealed
from domain.ids import AudienceName, ClientId, SessionId, StreamName, UserId
from domain.session_events import (
    AuthMethod,
    DeviceNamed,
    Reauthenticated,
    RefreshReused,
    SessionEvent,
    SessionRebased,
    SessionStarted,
    TokenIssued,
)
from domain.session_state import Absent, Ended, Forgotten, Live, Session, evolve

MINOS = AudienceName("minos")
"""The audience of Minos itself; a session has it only when its sign-in named no other (threats.md 7)."""


decider: Decider[Session, SessionEvent] = Decider("session", Session, 5, Absent(), evolve)  # type: ignore[arg-type]  # a union is a type form


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


def name_device(state: Session, *, owner: UserId, device_name: Sealed | None, at: datetime) -> Sequence[SessionEvent]:
    """Raises NoSuchSession, for another's too; SessionEnded."""
    if isinstance(state, Absent | Forgotten) or state.user_id != owner:
        raise NoSuchSession
    live = _alive(state, at=at)
    return [DeviceNamed(session_id=live.session_id, user_id=live.user_id, device_name=device_name, at=at)]


def rebase(state: Session, *, token_epoch: int, at: datetime) -> Sequence[SessionEvent]:
    """Keep this session while its user's other ones end."""
    live = _alive(state, at=at)
    if live.token_epoch >= token_epoch:
        return []
    return [SessionRebased(session_id=live.session_id, user_id=live.user_id, token_epoch=token_epoch, at=at)]


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
        case Absent() | Forgotten():
            raise NoSuchSession
        case _:
            assert_never(state)
