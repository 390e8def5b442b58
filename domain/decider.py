"""What an aggregate is made of: where it begins, how it folds, how its state is kept."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Generic, TypeVar

from domain.event import Event

S = TypeVar("S")
E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Decider(Generic[S, E]):
    """One category of streams. Decisions are free functions `(state, facts...) -> Sequence[E]` beside it.

    `state_version` changes whenever the meaning or shape of the state does: heads of another version are
    refolded from their events.
    """

    category: str
    state_type: type[S]
    state_version: int
    initial: S
    evolve: Callable[[S, E], S]

    def fold(self, events: Iterable[E], state: S | None = None) -> S:
        return reduce(self.evolve, events, self.initial if state is None else state)
