"""Ending sessions: one, one of one's own, and the oldest where there are too many."""

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from domain.errors import NoSuchSession
from domain.ids import UserId
from domain.session import is_live
from domain.session_events import EndReason, SessionErased, SessionEvent, SessionRevoked
from domain.session_state import Absent, Ended, Forgotten, Live, Session


def revoke(state: Session, *, user_epoch: int, reason: EndReason, at: datetime) -> Sequence[SessionEvent]:
    """End it. One that is over already keeps the reason it has, also where that is its time or its user's token epoch."""
    match state:
        case Absent() | Forgotten():
            raise NoSuchSession
        case Ended():
            return []
        case Live():
            if not is_live(state, user_epoch=user_epoch, at=at):
                return []
            return [SessionRevoked(session_id=state.session_id, user_id=state.user_id, reason=reason, at=at)]
        case _:
            assert_never(state)


def revoke_own(state: Session, *, owner: UserId, user_epoch: int, reason: EndReason, at: datetime) -> Sequence[SessionEvent]:
    """Another's session is as absent as one that never was (threats.md 20)."""
    if isinstance(state, Absent | Forgotten) or state.user_id != owner:
        raise NoSuchSession
    return revoke(state, user_epoch=user_epoch, reason=reason, at=at)


def erase(state: Session, *, owner: UserId, at: datetime) -> Sequence[SessionEvent]:
    """Forget a session of one who is erased. Nothing happens to another's."""
    if isinstance(state, Absent | Forgotten) or state.user_id != owner:
        return []
    return [SessionErased(session_id=state.session_id, user_id=owner, at=at)]


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
