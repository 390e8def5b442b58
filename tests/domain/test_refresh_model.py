"""Refreshing against a model that fits on a page: random presentations, random times, one family."""

from datetime import datetime, timedelta
from typing import Any, Literal

from hypothesis import given
from hypothesis import strategies as st

from domain import session, session_state
from domain.errors import InvalidRefreshToken
from domain.session_events import RefreshReused, TokenIssued
from tests.domain.examples import NOW
from tests.domain.test_session import ABSOLUTE, GRACE, IDLE, LIVE, ask

Answer = Literal["rotated", "repeated", "reused", "refused"]


class Model:
    """Seconds since the start and a generation: all there is to it."""

    def __init__(self) -> None:
        self.current, self.rotated_at, self.dead = 1, 0.0, False

    def present(self, generation: int, at: float) -> Answer:
        if self.dead or at >= min(self.rotated_at + IDLE, ABSOLUTE) or not 1 <= generation <= self.current:
            return "refused"
        if generation == self.current:
            self.current, self.rotated_at = generation + 1, at
            return "rotated"
        if generation == self.current - 1 and at - self.rotated_at < GRACE:
            return "repeated"
        self.dead = True
        return "reused"


def answer(state: session_state.Session, generation: int, at: datetime) -> tuple[Answer, session_state.Session]:
    try:
        events: Any = session.refresh(state, **ask(generation, at))
    except InvalidRefreshToken:
        return "refused", state
    after = session.decider.fold(events, state)
    match list(events):
        case []:
            return "repeated", after
        case [TokenIssued()]:
            return "rotated", after
        case [RefreshReused()]:
            return "reused", after
        case _:
            raise AssertionError(events)


STEPS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0, 0.5, 3, 9.999, 10, 11, 400, 999, 1_000])), max_size=30)


@given(STEPS)
def test_rotation_repeat_and_reuse_are_as_the_model_says(steps: list[tuple[int, float]]) -> None:
    model, state, elapsed = Model(), session.decider.fold(LIVE), 0.0
    for back, wait in steps:
        elapsed += wait
        generation = model.current + 1 - back
        expected = model.present(generation, elapsed)
        got, state = answer(state, generation, NOW + timedelta(seconds=elapsed))
        assert got == expected


@given(STEPS)
def test_a_family_ends_at_most_once_and_writes_nothing_after(steps: list[tuple[int, float]]) -> None:
    state, elapsed, ends, current = session.decider.fold(LIVE), 0.0, 0, 1
    for back, wait in steps:
        elapsed += wait
        got, state = answer(state, current + 1 - back, NOW + timedelta(seconds=elapsed))
        current += got == "rotated"
        assert not ends or got == "refused"
        ends += got == "reused"
    assert ends <= 1
