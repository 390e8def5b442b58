"""One stream folded anew: its versions, its head, and the rows made of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

import asyncpg

from domain.codec import encode_state
from domain.decider import Decider
from domain.deciders import decider_of
from domain.event import Pruned, Recorded
from domain.ids import StreamName
from workers.audit.announced import Announced
from workers.audit.findings import Finding, Findings, Kind
from workers.audit.stream_rows import Rows
from workers.decoded import Read, Unreadable


@dataclass(slots=True)
class StreamFold:
    """Is told all events of a stream in order, some at a time, then what was stored of it."""

    stream: StreamName
    rows: Sequence[Rows]
    """But for those whose fold tripped."""
    findings: Findings
    said: Announced
    version: int = 0
    position: int = 0
    unsequenced: bool = False
    state: Any = None
    foldable: bool = True
    of: Decider[Any, Any] | None = field(init=False)

    def __post_init__(self) -> None:
        self.of = decider_of(self.stream)
        if self.of is None:
            self.foldable = False
            self._find(Kind.ENTRY_BROKEN, f"stream {self.stream} is of no category that is known")
        else:
            self.state = self.of.initial

    def take(self, events: Sequence[Read]) -> None:
        if self._follow(events):
            self.version, self.position = events[-1].version, events[-1].position or 0
            self._fold(events)
        else:
            self._fold([event for event in events if self._follows(event) and not isinstance(event, Unreadable)])

    def _follow(self, events: Sequence[Read]) -> "TypeGuard[Sequence[Recorded[Any] | Pruned]]":
        """Tell whether nothing is to be said of their order, and all can be folded: so it is with nearly all."""
        version, position = self.version, self.position
        for event in events:
            version += 1
            at = event.position
            if event.version != version or at is None or at <= position or isinstance(event, Unreadable):
                return False
            position = at
        return self.foldable and not self.unsequenced

    def _follows(self, event: Read) -> bool:
        """Check that it follows the one before it, in the stream and in the log. Tell whether it can be folded."""
        if isinstance(event, Unreadable):
            self._place(event)
            self.foldable = False
            self._find(Kind.ENTRY_BROKEN, f"version {event.version} of stream {self.stream} cannot be read: {event.reason}", event)
        else:
            self._place(event)
        return self.foldable

    def _place(self, event: Read) -> None:
        """Say in what it does not follow."""
        if event.version != self.version + 1:
            self._gap(event)
        if event.position is None:
            self.unsequenced = True
        elif event.position <= self.position or self.unsequenced:
            words = f"version {event.version} of stream {self.stream} is at position {event.position}, before what comes before it"
            self._find(Kind.STREAM_DISORDER, words, event)
        self.version = max(self.version, event.version)
        self.position = event.position or self.position

    def _gap(self, event: Read) -> None:
        self.foldable = False
        if self.said.detached and event.version > self.version:
            return  # they lie elsewhere: their hashes are in the tree, and their places are not known here
        kind = Kind.STREAM_GAP if event.version > self.version else Kind.STREAM_REPEATS
        self._find(kind, f"stream {self.stream} goes on with version {event.version} after {self.version}", event)

    def _fold(self, events: "Sequence[Recorded[Any] | Pruned]") -> None:
        if self.of is not None:
            self._evolve(self.of, events)
        for rows in self.rows:
            try:
                rows.take(events)
            except Exception as error:  # noqa: BLE001 - whatever a fold trips over concerns these rows alone, and is told
                self.rows = [each for each in self.rows if each is not rows]
                self._differs(rows, f"cannot be made: {type(error).__name__} at version {rows.at}", rows.at)

    def _evolve(self, of: Decider[Any, Any], events: "Sequence[Recorded[Any] | Pruned]") -> None:
        state, evolve, at = self.state, of.evolve, None
        try:
            for at in events:
                if isinstance(at, Recorded):
                    state = evolve(state, at.event)
        except Exception as error:  # noqa: BLE001 - whatever it trips over is no history of such a stream, and is told
            self.foldable = False
            self._find(Kind.ENTRY_BROKEN, f"stream {self.stream} cannot be folded: {type(error).__name__}", at)
        self.state = state

    def end(self, head: "asyncpg.Record | None") -> None:
        """Hold what is stored of the stream against it, all events having been told."""
        if not self.foldable:
            return
        self._head(head)
        for rows in self.rows:
            for words, version in rows.faults():
                self._differs(rows, words, version)

    def _head(self, head: "asyncpg.Record | None") -> None:
        of = self.of
        if head is None or of is None:
            self._find(Kind.HEAD_DIFFERS, f"stream {self.stream} has {self.version} events and no head")
        elif head["version"] != self.version:
            self._find(Kind.HEAD_DIFFERS, f"the head of {self.stream} is at version {head['version']}, its events end at {self.version}")
        elif head["state_version"] == of.state_version and head["state"] != encode_state(self.state):
            self._find(Kind.HEAD_DIFFERS, f"the head of {self.stream} is not what its {self.version} events fold to")

    def _differs(self, rows: Rows, words: str, version: int | None) -> None:
        said = f"what {rows.model} has of {self.stream} {words}"
        self.findings.add(Finding(kind=Kind.READ_MODEL_DIFFERS, words=said, stream=self.stream, version=version, model=rows.model))

    def _find(self, kind: Kind, words: str, at: "Read | None" = None) -> None:
        self.findings.add(
            Finding(
                kind=kind,
                words=words,
                stream=self.stream,
                position=None if at is None else at.position,
                version=None if at is None else at.version,
            )
        )
