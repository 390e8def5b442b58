"""A batch of events folded into one read model's rows, in memory. No I/O: what comes out is written by the caller."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from domain.event import Recorded
from domain.ids import StreamName
from projections.periods import Unwritten
from projections.projection import Entity, Gone, Journal, Periods, Projection, Versioned, category_of
from workers.decoded import Read, Unreadable


@dataclass(frozen=True, slots=True)
class Poison:
    """An event that one projection cannot take. Its stream is held back there from `position` on."""

    stream: StreamName
    position: int
    reason: str


@dataclass(slots=True)
class Folded:
    """What a batch makes: rows changed or rows to add, streams to park, and why to stop when there is reason to."""

    rows: dict[StreamName, Versioned[Any] | Gone] = field(default_factory=dict[StreamName, Versioned[Any] | Gone])
    entries: list[Struct] = field(default_factory=list[Struct])
    unwritten: Unwritten = field(default_factory=Unwritten)
    poisoned: list[Poison] = field(default_factory=list[Poison])
    stopped_before: int | None = None
    stopped_why: str | None = None


class Sorted:
    """The events of a batch, each looked at once for what it may matter to, however many read models there are."""

    def __init__(self, events: Sequence[Read]) -> None:
        self.events = events
        self._of_category: dict[str, list[Read]] = {}
        for event in events:
            self._of_category.setdefault(category_of(event.stream), []).append(event)

    def concerning(self, projection: Projection) -> Sequence[Read]:
        """Give the events that may matter to a projection, in the order of the log."""
        match projection:
            case Journal():
                return self.events
            case Entity():
                return self._of_category.get(projection.category, ())
            case Periods():
                found = [event for category in projection.categories for event in self._of_category.get(category, ())]
                return sorted(found, key=lambda event: event.position or 0)


def fold(
    projection: Projection, held: Mapping[StreamName, Versioned[Any] | Gone], events: Iterable[Read], unwritten: Unwritten | None = None
) -> Folded:
    """Fold events, in the order of the log, onto the rows held, or into what is not written yet of periods.

    An event of an unknown tag stops everything before it.
    """
    folded = Folded(unwritten=unwritten or Unwritten())
    poisoned: set[StreamName] = set()
    for event in events:
        if event.stream in poisoned:
            continue
        if isinstance(event, Unreadable) and event.newer:
            folded.stopped_before, folded.stopped_why = event.position, event.reason
            break
        reason = _take(projection, held, folded, event)
        if reason is not None:
            poisoned.add(event.stream)
            folded.poisoned.append(Poison(event.stream, event.position or 0, reason))
    return folded


def _take(projection: Projection, held: Mapping[StreamName, Versioned[Any] | Gone], folded: Folded, event: Read) -> str | None:
    """Fold one event in; give the reason where it cannot be."""
    if isinstance(event, Unreadable):
        return event.reason
    try:
        match projection:
            case Entity():
                before = folded.rows.get(event.stream) or held.get(event.stream)
                after = projection.fold(before, event)
                if after is not None and after is not before:
                    folded.rows[event.stream] = after
            case Journal():
                entry = projection.write(event)
                if entry is not None:
                    folded.entries.append(entry)
            case Periods():
                if isinstance(event, Recorded) and (turn := projection.turn(event)) is not None:
                    folded.unwritten.take(event, turn)
    except Exception as error:  # noqa: BLE001 - whatever a fold trips over concerns this stream alone, and is told to the operator
        return f"{type(error).__name__} at version {event.version}"
    return None
