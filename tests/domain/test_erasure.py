"""Whoever asked to be erased can think better of it, until it begins."""

from datetime import timedelta

from domain import erasure
from domain.erasure import Asked, Begun
from domain.erasure_events import ErasureAsked, ErasureBegun, ErasurePostponed, ErasureWithdrawn
from domain.errors import NoErasureAsked
from tests.domain.examples import ADA, LATER, NOW
from tests.domain.given import given

DUE = NOW + timedelta(seconds=600)
ASKED = ErasureAsked(user_id=ADA, due_at=DUE, at=NOW)
WITHDRAWN = ErasureWithdrawn(user_id=ADA, at=LATER)
BEGUN = ErasureBegun(user_id=ADA, at=DUE)


def test_asking_twice_puts_nothing_off() -> None:
    given(erasure.decider).when(erasure.ask, user_id=ADA, wait_s=600, at=NOW).then(ASKED)
    given(erasure.decider, ASKED).when(erasure.ask, user_id=ADA, wait_s=600, at=LATER).then()


def test_it_can_be_withdrawn_and_asked_for_again() -> None:
    given(erasure.decider, ASKED).when(erasure.withdraw, user_id=ADA, at=LATER).then(WITHDRAWN)
    given(erasure.decider, ASKED, WITHDRAWN).when(erasure.ask, user_id=ADA, wait_s=600, at=NOW).then(ASKED)
    given(erasure.decider, ASKED, WITHDRAWN).when(erasure.withdraw, user_id=ADA, at=LATER).then_refused(NoErasureAsked)


def test_it_begins_at_its_time_once_and_not_before() -> None:
    given(erasure.decider, ASKED).when(erasure.begin, user_id=ADA, at=DUE - timedelta(microseconds=1)).then()
    after = given(erasure.decider, ASKED).when(erasure.begin, user_id=ADA, at=DUE).then(BEGUN)
    assert isinstance(after, Begun)
    given(erasure.decider, ASKED, BEGUN).when(erasure.begin, user_id=ADA, at=DUE).then()


def test_what_was_withdrawn_or_never_asked_for_does_not_begin() -> None:
    given(erasure.decider, ASKED, WITHDRAWN).when(erasure.begin, user_id=ADA, at=DUE).then()
    given(erasure.decider).when(erasure.begin, user_id=ADA, at=DUE).then()


def test_once_begun_there_is_no_way_back() -> None:
    given(erasure.decider, ASKED, BEGUN).when(erasure.withdraw, user_id=ADA, at=DUE).then_refused(NoErasureAsked)
    given(erasure.decider, ASKED, BEGUN).when(erasure.ask, user_id=ADA, wait_s=1, at=DUE).then()


def test_it_waits_until_nobody_can_take_back_what_was_done_to_the_account() -> None:
    later = DUE + timedelta(hours=1)
    put_off = ErasurePostponed(user_id=ADA, due_at=later, at=DUE)
    given(erasure.decider, ASKED).when(erasure.begin, user_id=ADA, not_before=later, at=LATER).then()
    given(erasure.decider, ASKED).when(erasure.begin, user_id=ADA, not_before=later, at=DUE).then(put_off)
    given(erasure.decider, ASKED, put_off).when(erasure.begin, user_id=ADA, not_before=later, at=DUE).then()
    given(erasure.decider, ASKED).when(erasure.begin, user_id=ADA, not_before=NOW, at=DUE).then(BEGUN)
    begun = ErasureBegun(user_id=ADA, at=later)
    given(erasure.decider, ASKED, put_off).when(erasure.begin, user_id=ADA, not_before=later, at=later).then(begun)


def test_it_is_put_off_and_never_brought_forward() -> None:
    held = ErasurePostponed(user_id=ADA, due_at=NOW + timedelta(seconds=900), at=LATER)
    late = ErasurePostponed(user_id=ADA, due_at=LATER + timedelta(seconds=900), at=LATER)
    after = given(erasure.decider, ASKED).when(erasure.hold, user_id=ADA, period_s=900, at=LATER).then(held)
    assert after == Asked(asked_at=NOW, due_at=held.due_at)
    given(erasure.decider, ASKED, held).when(erasure.leave_time, user_id=ADA, wait_s=900, at=LATER).then(late)
    given(erasure.decider, ASKED, late).when(erasure.hold, user_id=ADA, period_s=900, at=LATER).then()
    given(erasure.decider, ASKED, late).when(erasure.leave_time, user_id=ADA, wait_s=900, at=LATER).then()
    for past in ((), (ASKED, WITHDRAWN), (ASKED, BEGUN)):
        given(erasure.decider, *past).when(erasure.hold, user_id=ADA, period_s=900, at=DUE).then()
        given(erasure.decider, *past).when(erasure.leave_time, user_id=ADA, wait_s=900, at=DUE).then()
