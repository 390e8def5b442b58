"""A session that looked suspicious as it began, and how far it has been looked into."""

from collections.abc import Sequence
from datetime import datetime

from domain.errors import NoSuchSession
from domain.session_events import SessionEvent, SessionFlagged, SessionReviewed
from domain.session_state import Absent, Forgotten, Live, Session
from domain.suspicion import Review, Signal


def flag(state: Session, *, signals: Sequence[Signal], at: datetime) -> Sequence[SessionEvent]:
    """Say what is suspicious about a session as it begins; nothing, where nothing is."""
    if not signals or not isinstance(state, Live) or state.review is not None:
        return []
    return [SessionFlagged(session_id=state.session_id, user_id=state.user_id, signals=tuple(signals), at=at)]


def review(state: Session, *, review: Review, at: datetime) -> Sequence[SessionEvent]:
    """Say how far a suspicious session has been looked into, whether or not it lives. Raises NoSuchSession for one that is not."""
    if isinstance(state, Absent | Forgotten) or state.review is None:
        raise NoSuchSession
    if state.review is review:
        return []
    return [SessionReviewed(session_id=state.session_id, user_id=state.user_id, review=review, at=at)]
