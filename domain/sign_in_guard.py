"""Remembers that a real account's sign-in was locked for a while. The counters themselves are not in the log."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from domain.decider import Decider
from domain.event import Event
from domain.ids import StreamName, UserId

DELAY_AFTER = 5
"""Failures in a row before the first wait."""
WAITS = (60, 300, 900, 3_600)
"""Seconds to wait after the 5th, 6th, 7th, and each later failure in a row."""
MOST_FAILURES = 100
"""After this many in a row no password is looked at until the counter has expired (NIST SP 800-63B-4)."""
COUNTER_TTL = 24 * 3_600


class SignInLocked(Event, frozen=True, kw_only=True, tag="sign_in_guard.locked.v1"):
    user_id: UserId
    failures: int
    until: datetime


class Guard(Struct, frozen=True, kw_only=True):
    locked_until: datetime | None = None
    locked_at: datetime | None = None
    """When the newest lock began."""
    locks: int = 0


def evolve(state: Guard, event: SignInLocked) -> Guard:
    return Guard(locked_until=event.until, locked_at=event.at, locks=state.locks + 1)


decider: Decider[Guard, SignInLocked] = Decider("sign_in_guard", Guard, 2, Guard(), evolve)


def stream(user_id: UserId) -> StreamName:
    return StreamName(f"sign_in_guard-{user_id}")


class Patience(Struct, frozen=True, kw_only=True):
    """How often in a row something may be guessed, and how long it rests then."""

    waits: tuple[int, ...]
    """Seconds of rest after the first, second, ... failure in a row; the last holds for all that follow."""
    ttl: int
    """Seconds from the last counted failure until all are forgotten."""

    def after(self, failures: int) -> timedelta:
        return timedelta(seconds=self.waits[min(failures, len(self.waits)) - 1])


def wait_after(failures: int) -> timedelta:
    """Give how long a name must rest after this many failures in a row."""
    if failures < DELAY_AFTER:
        return timedelta(0)
    if failures >= MOST_FAILURES:
        return timedelta(seconds=COUNTER_TTL)
    return timedelta(seconds=WAITS[min(failures - DELAY_AFTER, len(WAITS) - 1)])


PASSWORDS = Patience(waits=tuple(int(wait_after(n).total_seconds()) for n in range(1, MOST_FAILURES + 1)), ttl=COUNTER_TTL)


def lock(state: Guard, *, user_id: UserId, failures: int, until: datetime, at: datetime) -> Sequence[SignInLocked]:
    if state.locked_until is not None and state.locked_until >= until:
        return []
    return [SignInLocked(user_id=user_id, failures=failures, until=until, at=at)]
