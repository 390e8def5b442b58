"""What a read model is: a fold over events, and the table its rows are kept in.

An entity has one row per stream of its category; a journal has one row per event it writes down; periods have one row for all that held
of a stream from one event to another. The same fold makes the live rows, the rebuilt rows and the missing end of a row that is read before
the projector came by.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from msgspec import Struct

from domain.event import Event, Pruned, Recorded
from projections.columns import Columns, columns_of
from projections.periods import Turn

R = TypeVar("R", bound=Struct)
E = TypeVar("E", bound=Event)

Fold: TypeAlias = Callable[[R | None, Recorded[Any]], R]


class NotYetBegun(Exception):
    """An event changes an entity that no event has begun: its stream cannot be folded."""


class NotListed(Exception):
    """An event's type is neither folded nor ignored by this projection."""


class StreamGap(Exception):
    """An event does not follow the version its row stands at: folding it would skip another."""


@dataclass(frozen=True, slots=True)
class Case(Generic[R]):
    """What one type of event does to a row."""

    event_type: type[Event]
    fold: Fold[R]


def begins(event_type: type[E], start: Callable[[Recorded[E]], R]) -> Case[R]:
    """Make the row from its first event."""
    return Case(event_type, lambda _, recorded: start(recorded))


def when(event_type: type[E], change: Callable[[R, Recorded[E]], R]) -> Case[R]:
    """Change a row that exists. Raises NotYetBegun, when folding, if it does not."""

    def fold(row: R | None, recorded: Recorded[E]) -> R:
        if row is None:
            raise NotYetBegun(f"{recorded.stream} version {recorded.version}")
        return change(row, recorded)

    return Case(event_type, fold)


class Versioned(Struct, Generic[R], frozen=True):
    """A row and the version of the stream it reflects."""

    row: R
    version: int


class Gone(Struct, frozen=True):
    """What a stream leaves whose last event ends its entity: no row, and nothing remembered of it. No event follows in such a stream."""

    version: int


@dataclass(frozen=True, slots=True)
class Entity(Generic[R]):
    """One row per stream of `category`. `fold_version` rises when the fold or the columns change: rows of another are never mixed in.

    Ignored events leave the row as it is but move its version, so that a row can be told to be up to date. Those in `ends` take it away.
    """

    name: str
    fold_version: int
    category: str
    row: type[R]
    cases: tuple[Case[R], ...]
    ignores: tuple[type[Event], ...]
    sql: Mapping[str, str]
    ends: tuple[type[Event], ...] = ()
    folds: Mapping[type[Event], Fold[R]] = field(init=False, repr=False)
    columns: Columns = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "folds", {case.event_type: case.fold for case in self.cases})
        object.__setattr__(self, "columns", columns_of(self.row))

    def fold(self, before: Versioned[R] | Gone | None, recorded: Recorded[Any] | Pruned) -> Versioned[R] | Gone | None:
        """Apply the next event of the row's stream; one the row has already seen, or whose payload has gone, changes nothing.

        Raises NotYetBegun, NotListed or StreamGap when it cannot be applied.
        """
        version = 0 if before is None else before.version
        if recorded.version <= version:
            return before
        if recorded.version != version + 1:
            raise StreamGap(f"{recorded.stream}: version {recorded.version} after {version}")
        if isinstance(before, Gone):
            raise StreamGap(f"{recorded.stream}: version {recorded.version} after its end")
        row = self.step(None if before is None else before.row, recorded)
        return row if row is None or isinstance(row, Gone) else Versioned(row, recorded.version)

    def step(self, row: R | None, recorded: Recorded[Any] | Pruned) -> R | Gone | None:
        """Give the row after the very next event of its stream; None as long as no event has begun it. Raises NotYetBegun, NotListed."""
        if isinstance(recorded, Pruned):
            return row
        event: Event = recorded.event
        kind = type(event)
        fold = self.folds.get(kind)
        if fold is not None:
            return fold(row, recorded)
        if kind in self.ends:
            return Gone(recorded.version)
        if kind not in self.ignores:
            raise NotListed(kind.__name__)
        return row


@dataclass(frozen=True, slots=True)
class Journal(Generic[R]):
    """One row per event it writes down, keyed by the event's position. It listens to every category."""

    name: str
    fold_version: int
    row: type[R]
    writes: Mapping[type[Event], Callable[[Recorded[Any]], R | None]]
    """None where the very event is not for this journal."""
    ignores: tuple[type[Event], ...]
    sql: Mapping[str, str]
    copies: tuple[str, ...] = ()
    """Columns that hold what the log's own column of that name holds."""
    columns: Columns = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", columns_of(self.row))

    def write(self, recorded: Recorded[Any] | Pruned) -> R | None:
        """Give the event's row, or None when it is not for this journal or has no payload any more.

        Raises NotListed for an event it was never told of.
        """
        if isinstance(recorded, Pruned):
            return None
        event: Event = recorded.event
        write = self.writes.get(type(event))
        if write is None:
            if type(event) not in self.ignores:
                raise NotListed(type(event).__name__)
            return None
        return write(recorded)


@dataclass(frozen=True, slots=True)
class Periods:
    """What held of the streams of some categories, and when. `fold_version` rises when what an event turns changes."""

    name: str
    fold_version: int
    categories: frozenset[str]
    turns: Mapping[type[Event], Callable[[Any], Turn]]
    """By the event alone: what held before is not looked at."""
    ignores: tuple[type[Event], ...]
    sql: Mapping[str, str]

    def turn(self, recorded: Recorded[Any]) -> Turn | None:
        """Give what an event begins and ends; None when it changes nothing here. Raises NotListed for one it was never told of."""
        event: Event = recorded.event
        turn = self.turns.get(type(event))
        if turn is None:
            if type(event) not in self.ignores:
                raise NotListed(type(event).__name__)
            return None
        return turn(event)


Projection: TypeAlias = Entity[Any] | Journal[Any] | Periods


def category_of(stream: str) -> str:
    return stream.partition("-")[0]
