"""How far a class of signals is known, and since when: what makes the difference between knowing and believing."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from math import inf
from typing import Literal

FRESH_S = 3.0
LATE_S = 5.0
_LAG_S = 10.0
"""How much further behind the issuer's clock than at its best a feed may be."""
_DRIFT = 0.002
"""By how much two clocks may run at different speeds, at the very most: what somebody may keep heartbeats back by, and no more."""
_MOST_AHEAD = 4_096


@dataclass(frozen=True, slots=True)
class Freshness:
    """`age`: seconds since all was known that the issuer had committed; infinite before the first time."""

    state: Literal["fresh", "late", "blind"]
    age: float


def freshness_at(age: float) -> Freshness:
    """Late counts as fresh, and is measured."""
    return Freshness("fresh" if age < FRESH_S else "late" if age < LATE_S else "blind", age)


@dataclass(frozen=True, slots=True)
class Known:
    """Everything of a class up to `count` of `epoch` is known."""

    epoch: int
    count: int

    def is_set_back_from(self, earlier: "Known") -> bool:
        """Tell whether an issuer that counted further before came back with less: counts will come again, for other signals."""
        return self.epoch == earlier.epoch and self.count < earlier.count


class Progress:
    """Of one class. Counts are dense within an epoch and start at 1; `complete_to` is in seconds of the issuer's clock."""

    def __init__(self) -> None:
        self.epoch = 0
        self.count = 0
        self.complete_to = -inf
        self.advanced_at = -inf
        self._ahead: set[int] = set()
        self._best: tuple[float, float] | None = None

    def lacks(self, epoch: int, count: int) -> bool:
        """Tell whether something up to there is not known yet."""
        return (epoch, count) > (self.epoch, self.count)

    def has_gap(self, epoch: int, count: int, told: Collection[int]) -> bool:
        """Tell whether of the counts up to there some are neither known nor among those told."""
        known, seen = (self.count, self._ahead) if epoch == self.epoch else (0, frozenset[int]())
        return any(each not in told and each not in seen for each in range(known + 1, count + 1))

    def saw(self, epoch: int, count: int) -> bool:
        """Note a copy as it was made. False when something before it is missing."""
        if not self.lacks(epoch, count):
            return True
        if epoch != self.epoch or count > self.count + 1:
            if epoch == self.epoch and len(self._ahead) < _MOST_AHEAD:
                self._ahead.add(count)
            return False
        self._reach(count)
        return True

    def reached(self, epoch: int, count: int) -> None:
        """Note that all is known up to there, whatever of it was replaced by something newer since."""
        if not self.lacks(epoch, count):
            return
        if epoch != self.epoch:
            self.epoch = epoch
            self._ahead.clear()
        self._reach(count)

    def set_back(self, known: Known) -> None:
        """Note that what is known ends there after all."""
        self.epoch, self.count = known.epoch, known.count
        self._ahead.clear()

    def complete(self, complete_to: float, at: float, heard_at: float | None = None) -> bool:
        """Note, as of a time of the monotonic clock, that all was known which was committed before `complete_to`. False when that is old.

        `heard_at`: when it came, where that is later. The pace is kept by that alone: what was asked for long before it was written would
        look ahead of its time, and everything after it late.

        Somebody in between could let heartbeats through slowly, each a little later than the one before, and nothing would stand
        still: so it is not enough that `complete_to` rises, it also has to keep pace.
        """
        if complete_to <= self.complete_to:
            return False
        self.complete_to = complete_to
        heard_at = at if heard_at is None else heard_at
        offset = complete_to - heard_at
        best = offset if self._best is None else max(offset, self._best[0] - (heard_at - self._best[1]) * _DRIFT)
        self._best = best, heard_at
        if best - (complete_to - at) > _LAG_S:
            return False
        self.advanced_at = at
        return True

    def _reach(self, count: int) -> None:
        while count + 1 in self._ahead:
            count += 1
        self.count = count
        self._ahead = {each for each in self._ahead if each > count} if self._ahead else self._ahead


def oldest(classes: Iterable[Progress]) -> float:
    """The time of the monotonic clock since when not all is known."""
    return min((each.advanced_at for each in classes), default=-inf)
