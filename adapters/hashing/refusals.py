"""How long a refusal takes while there are hashes that cost other than today's, and would show who has one.

A hash that was imported, or made with other parameters, is compared at its own cost: sooner or later than nobody's is. Whoever
measures could tell such an account from a name that nobody has. So while there are any, no refusal is given sooner than the slowest
comparison of late took. The wait holds no thread.
"""

import time
from collections import deque
from collections.abc import Callable

KEPT = 64
"""Comparisons of each kind that are remembered."""
LATELY_S = 86_400.0
MOST_S = 2.0
"""However slow the machine was: whoever mistyped waits for this."""


class RefusalFloor:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._usual: deque[float] = deque(maxlen=KEPT)
        self._others: deque[tuple[float, float]] = deque(maxlen=KEPT)

    def note(self, seconds: float, *, usual: bool) -> None:
        """Of one comparison, whatever came of it; `usual` at today's cost, as nobody's is."""
        if usual:
            self._usual.append(seconds)
        else:
            self._others.append((self._clock(), seconds))

    def left(self, seconds: float) -> float:
        """How much longer a refusal has to take, whose work took so many seconds."""
        since = self._clock() - LATELY_S
        others = [took for at, took in self._others if at >= since]
        slowest = max(others + list(self._usual)) if others else 0.0
        return max(0.0, min(slowest, MOST_S) - seconds)
