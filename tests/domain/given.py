"""given(decider, *past).when(decision, **facts).then(*events): a test of one decision reads as one line."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pytest

from domain.decider import Decider
from domain.event import Event

S = TypeVar("S")
E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class Decided(Generic[S, E]):
    """What a decision came to. `then` takes the very events, `then_refused` the refusal."""

    decider: Decider[S, E]
    before: S
    decide: Callable[[], Sequence[E]]

    def then(self, *events: E) -> S:
        """Assert the events, and that deciding again on the same state gives them again; gives the state after."""
        assert tuple(self.decide()) == events
        assert tuple(self.decide()) == events
        return self.decider.fold(events, self.before)

    def then_refused(self, refusal: type[Exception]) -> None:
        with pytest.raises(refusal):
            self.decide()


@dataclass(frozen=True)
class Given(Generic[S, E]):
    decider: Decider[S, E]
    state: S

    def when(self, decision: Callable[..., Sequence[E]], *facts: Any, **named: Any) -> Decided[S, E]:
        return Decided(self.decider, self.state, lambda: decision(self.state, *facts, **named))


def given(decider: Decider[S, E], *past: E) -> Given[S, E]:
    return Given(decider, decider.fold(past))
