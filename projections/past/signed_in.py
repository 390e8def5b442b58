"""Who was signed in, and when. That a session ran out, or that its account left it behind, is worked out when it is asked for."""

from enum import StrEnum

from domain import user
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
from projections.past.facts import SQL
from projections.periods import Fact, Turn
from projections.projection import Periods


class Of(StrEnum):
    """The kinds of facts."""

    USER = "user"
    """A session of the account that has this stream, by the token epoch it began in, until its absolute end."""
    REBASED = "rebased"
    """A session lives on under a later token epoch of its account."""


def _started(event: SessionStarted) -> Turn:
    return Turn(begins=(Fact(Of.USER, user.stream(event.user_id), number=event.token_epoch, until=event.expires_at),))


def _rebased(event: SessionRebased) -> Turn:
    return Turn(begins=(Fact(Of.REBASED, number=event.token_epoch),))


def _over(_: SessionRevoked | RefreshReused | SessionErased) -> Turn:
    return Turn(ends=(Of.USER, Fact(Of.REBASED)))


signed_in = Periods(
    "signed_in",
    2,
    frozenset({"session"}),
    turns={SessionStarted: _started, SessionRebased: _rebased, SessionRevoked: _over, RefreshReused: _over, SessionErased: _over},
    ignores=(TokenIssued, Reauthenticated, SessionFlagged, SessionReviewed, DeviceNamed),
    sql=SQL,
)
