"""One class of signals as it is told over HTTP: what was signed lately, kept once for everybody who listens."""

from collections import deque
from collections.abc import Iterable, Sequence

from msgspec import Struct

from domain.signals.facts import SignalClass

KEPT = 2_048
"""Signals at most. Who is further behind reads the rows."""


class Told(Struct, frozen=True):
    """Lines of an event stream without their id. `count`: everything up to it has been told before or by this."""

    count: int
    lines: bytes


class Channel:
    """`count` is of the newest signal known; those after `floor` are kept. A new `generation` tells everybody to begin anew."""

    def __init__(self, of_class: SignalClass, *, epoch: int, count: int) -> None:
        self.of_class = of_class
        self.epoch = epoch
        self.generation = 0
        self.count = self.floor = count
        self.heartbeat: Told | None = None
        self._kept: deque[Told] = deque()

    def begin_anew(self, *, epoch: int, count: int) -> None:
        self.epoch = epoch
        self.generation += 1
        self.count = count
        self.heartbeat = None
        self.forget()

    def forget(self) -> None:
        """Keep nothing of what was signed: the key that signed it may not be trusted any more."""
        self._kept.clear()
        self.floor = self.count

    def add(self, told: Iterable[Told], *, through: int) -> None:
        """Take in what follows `count`, which is everything up to `through`."""
        self._kept.extend(told)
        while len(self._kept) > KEPT:
            self.floor = self._kept.popleft().count
        self.count = max(self.count, through)

    def after(self, count: int) -> Sequence[Told]:
        """Give all that is known after `count`, which may not be below the floor."""
        found: list[Told] = []
        for told in reversed(self._kept):
            if told.count <= count:
                break
            found.append(told)
        return found[::-1]
