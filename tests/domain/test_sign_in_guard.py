"""How long a name rests, and what the log remembers of it."""

from datetime import timedelta

import pytest

from domain import sign_in_guard
from domain.sign_in_guard import COUNTER_TTL, MOST_FAILURES, SignInLocked, wait_after
from tests.domain.examples import ADA, NOW
from tests.domain.given import given

UNTIL = NOW + timedelta(seconds=60)
LOCKED = SignInLocked(user_id=ADA, failures=5, until=UNTIL, at=NOW)


def test_a_lock_is_remembered() -> None:
    after = given(sign_in_guard.decider).when(sign_in_guard.lock, user_id=ADA, failures=5, until=UNTIL, at=NOW).then(LOCKED)
    assert (after.locked_until, after.locked_at, after.locks) == (UNTIL, NOW, 1)


def test_a_lock_that_holds_already_is_not_remembered_twice() -> None:
    given(sign_in_guard.decider, LOCKED).when(sign_in_guard.lock, user_id=ADA, failures=5, until=UNTIL, at=NOW).then()


def test_a_longer_lock_is_remembered() -> None:
    until = UNTIL + timedelta(seconds=300)
    longer = SignInLocked(user_id=ADA, failures=6, until=until, at=UNTIL)
    after = given(sign_in_guard.decider, LOCKED).when(sign_in_guard.lock, user_id=ADA, failures=6, until=until, at=UNTIL).then(longer)
    assert after.locks == 2


@pytest.mark.parametrize(("failures", "seconds"), [(0, 0), (4, 0), (5, 60), (6, 300), (7, 900), (8, 3_600), (99, 3_600)])
def test_waits_grow_with_failures(failures: int, seconds: int) -> None:
    assert wait_after(failures) == timedelta(seconds=seconds)


def test_after_a_hundred_failures_a_name_rests_until_its_counter_is_gone() -> None:
    assert wait_after(MOST_FAILURES) == wait_after(MOST_FAILURES + 1) == timedelta(seconds=COUNTER_TTL)


def test_waits_never_shrink() -> None:
    waits = [wait_after(n) for n in range(MOST_FAILURES + 5)]
    assert waits == sorted(waits)
