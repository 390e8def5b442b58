"""Every answer that clients had, or did not have, and when."""

import itertools
from collections import Counter
from collections.abc import Sequence
from time import monotonic

from msgspec import Struct

NONE = 0
"""Stands for the status of an answer that never came."""
AWAY = frozenset({NONE, 500, 502, 503, 504})
"""No answer, or one that says that a store is away."""


class Answer(Struct, frozen=True):
    """Seconds of CLOCK_MONOTONIC."""

    began: float
    at: float
    status: int

    @property
    def well(self) -> bool:
        return self.status not in AWAY


class Window(Struct, frozen=True, kw_only=True):
    """What clients met between two moments."""

    statuses: dict[str, int]
    failed: int
    longest_without_s: float
    """The longest time in which no request succeeded."""
    p99_ms: float


class Answers:
    """For one event loop. In the order in which they came."""

    def __init__(self) -> None:
        self.all: list[Answer] = []

    def note(self, began: float, status: int) -> None:
        self.all.append(Answer(began, monotonic(), status))

    def between(self, low: float, high: float) -> Window:
        found = [answer for answer in self.all if low <= answer.at < high]
        well = [answer for answer in found if answer.well]
        moments = [low, *(answer.at for answer in well), high]
        took = sorted(answer.at - answer.began for answer in well) or [0.0]
        return Window(
            statuses={str(status) if status else "none": n for status, n in sorted(Counter(a.status for a in found).items())},
            failed=len(found) - len(well),
            longest_without_s=max(after - before for before, after in itertools.pairwise(moments)),
            p99_ms=took[len(took) * 99 // 100] * 1000,
        )

    def succeed_since(self, moment: float, least: int) -> bool:
        """Whether at least so many were answered since then, and none failed that began since then."""
        found = [answer for answer in self.all[-2000:] if answer.began >= moment]
        return len(found) >= least and all(answer.well for answer in found)

    def per_second(self, began: float, seconds: int) -> Sequence[tuple[int, int]]:
        """Give how many succeeded and how many failed in each second."""
        counted = [[0, 0] for _ in range(seconds)]
        for answer in self.all:
            second = int(answer.at - began)
            if 0 <= second < seconds:
                counted[second][not answer.well] += 1
        return [(well, failed) for well, failed in counted]
