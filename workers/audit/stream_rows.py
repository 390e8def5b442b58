"""What a read model has of one stream, held against what its events make of it now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import asyncpg

from domain.event import Pruned, Recorded
from projections.columns import to_values
from projections.periods import Unwritten
from projections.projection import Entity, Gone, Periods, StreamGap
from projections.table import period_values

Said = tuple[str, int | None]
"""What is wrong with a row, and at which version of the stream."""
_OWN = slice(2, None)
"""Columns of a stored row behind its stream and version."""
_FROM, _TO = 5, 8
"""Where the positions of a period are in its row."""


class Rows(Protocol):
    """`model` is the read model's name, `at` the version of the last event that was looked at."""

    at: int

    @property
    def model(self) -> str: ...

    def take(self, events: "Sequence[Recorded[Any] | Pruned]") -> None:
        """Take the stream's next events: none is left out. Raises what the fold raises."""
        ...

    def faults(self) -> Iterator[Said]:
        """Say what is wrong, all events having been taken."""
        ...


@dataclass(slots=True)
class EntityRow:
    entity: Entity[Any]
    stored: "asyncpg.Record | None"
    fed_up_to: int
    """The position up to which the read model has seen the log."""
    at: int = 0
    fresh: Any = None
    due: int = 0
    """The version the stream had there, once there was something to be seen of it."""
    same: bool | None = None
    is_gone: bool = False
    must_be_gone: bool = False
    version: int = field(init=False)
    """That of the row that is stored."""

    def __post_init__(self) -> None:
        self.version = 0 if self.stored is None else self.stored["version"]

    @property
    def model(self) -> str:
        return self.entity.name

    def take(self, events: "Sequence[Recorded[Any] | Pruned]") -> None:
        step, row, up_to, stored = self.entity.step, self.fresh, self.fed_up_to, self.version
        for event in events:
            self.at = version = event.version
            if self.is_gone:
                raise StreamGap(f"{event.stream}: version {version} after its end")
            row = step(row, event)
            seen = event.position is not None and event.position <= up_to
            if isinstance(row, Gone):
                self.is_gone, self.must_be_gone, row = True, seen, None
            elif seen and row is not None:
                self.due = version
            if version == stored:
                self._compare(row)
        self.fresh = row

    def _compare(self, row: Any) -> None:
        """Tell at the version of the row that is stored whether it is this one."""
        if self.stored is not None:
            self.same = row is not None and self.stored[_OWN] == to_values(self.entity.columns, row)

    def faults(self) -> Iterator[Said]:
        if self.stored is None:
            if self.due and not self.is_gone:
                yield "is not there", self.due
            return
        version = self.version
        if self.must_be_gone:
            yield "is still there, and the last of its events takes it away", version
        elif version < self.due:
            yield f"is at version {version}, and should have come to {self.due}", version
        elif self.same is None:
            yield f"is at version {version}, which its stream does not have", version
        if self.same is False:
            yield f"is not what its events fold to at version {version}", version


@dataclass(slots=True)
class PeriodRows:
    periods: Periods
    stored: Sequence[tuple[object, ...]]
    fed_up_to: int
    at: int = 0
    fresh: Unwritten = field(default_factory=Unwritten)

    @property
    def model(self) -> str:
        return self.periods.name

    def take(self, events: "Sequence[Recorded[Any] | Pruned]") -> None:
        turn_of, up_to = self.periods.turn, self.fed_up_to
        for event in events:
            self.at = event.version
            if isinstance(event, Pruned) or event.position is None or event.position > up_to:
                continue
            turn = turn_of(event)
            if turn is not None:
                self.fresh.take(event, turn)

    def faults(self) -> Iterator[Said]:
        if [(*row, _fork(row)) for row in period_values(self.fresh.periods)] != list(self.stored):
            yield "is not what its events make it", None


def _fork(row: tuple[Any, ...]) -> int | None:
    """Give by what the table finds a period that has ended: where it hangs (projections/past/facts.sql)."""
    first, last = row[_FROM], row[_TO]
    if last is None:
        return None
    zeros: int = ((first - 1) ^ (last - 1)).bit_length() - 1
    fork: int = (last - 1) >> zeros << zeros
    return fork
