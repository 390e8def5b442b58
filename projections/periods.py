"""A read model of the past: what held of a stream, from which position to which. Several rows a stream, none of them ever changed
but by its end.

What an event begins and ends is said without a look at what was before, so writing needs no reading, and writing twice changes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from domain.event import Recorded
from domain.ids import EventId, StreamName


class Fact(Struct, frozen=True):
    """Something that holds of a stream for a while: `what` kind of thing, and which one. Never anything personal: rows outlive erasure."""

    what: str
    name: str = ""
    number: int | None = None
    until: datetime | None = None
    """When it stops by itself, without an event."""


class Turn(Struct, frozen=True):
    """What an event does: whatever holds of the kinds in `ends` stops, and so does each fact of `ends` by its name; the rest begins.

    A fact that begins takes the place of the one of the same kind and name.
    """

    begins: tuple[Fact, ...] = ()
    ends: tuple[str | Fact, ...] = ()


class Mark(Struct, frozen=True):
    """An event by its place."""

    position: int
    at: datetime
    """When it was recorded."""
    event_id: EventId


class Period(Struct, frozen=True, kw_only=True):
    """A fact, the event that began it, and the one that ended it; None while it goes on."""

    stream: StreamName
    fact: Fact
    since: Mark
    ended: Mark | None = None


class End(Struct, frozen=True, kw_only=True):
    """The end of whatever holds of a kind, and with a name of that alone, from before `mark`."""

    stream: StreamName
    what: str
    name: str | None
    mark: Mark


@dataclass(slots=True)
class Unwritten:
    """What a batch makes of periods: new ones, some of which end in it, and ends of those from before."""

    ends: list[End] = field(default_factory=list[End])
    closed: list[Period] = field(default_factory=list[Period])
    open: dict[StreamName, dict[tuple[str, str], Period]] = field(default_factory=dict[StreamName, dict[tuple[str, str], Period]])

    def take(self, recorded: Recorded[Any], turn: Turn) -> None:
        """Take the next event in; events of one stream come in their order. Raises ValueError for one without a position."""
        if recorded.position is None:
            raise ValueError("a period begins and ends at a position")
        mark = Mark(recorded.position, recorded.recorded_at, recorded.event_id)
        held = self.open.setdefault(recorded.stream, {})
        if recorded.version > 1:  # nothing can have held of a stream before its first event
            for what, name in _ended(turn):
                for key in [key for key in held if key[0] == what and name in {None, key[1]}]:
                    self.closed.append(replace(held.pop(key), ended=mark))
                self.ends.append(End(stream=recorded.stream, what=what, name=name, mark=mark))
        for fact in turn.begins:
            held[fact.what, fact.name] = Period(stream=recorded.stream, fact=fact, since=mark)

    @property
    def periods(self) -> Sequence[Period]:
        return [*self.closed, *self.still_open]

    @property
    def still_open(self) -> Iterable[Period]:
        return [period for held in self.open.values() for period in held.values()]


def _ended(turn: Turn) -> Iterable[tuple[str, str | None]]:
    named = [(fact.what, fact.name) for fact in (*turn.begins, *(end for end in turn.ends if isinstance(end, Fact)))]
    kinds = [end for end in turn.ends if isinstance(end, str)]
    return [*((kind, None) for kind in kinds), *(each for each in dict.fromkeys(named) if each[0] not in kinds)]
