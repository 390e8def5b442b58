"""When to stop asking somebody who does not answer: who waits for two seconds each time to be told nothing is no use to anybody."""

from collections.abc import Callable

from minos_sdk.ports import monotonic


class Breaker:
    """Opens after `failures` in a row; then one question each `pause_s` finds out whether to close."""

    def __init__(self, *, failures: int = 5, pause_s: float = 1.0, clock: Callable[[], float] = monotonic) -> None:
        self._most = failures
        self._pause_s = pause_s
        self._clock = clock
        self._failures = 0
        self._next_at = 0.0

    def admits(self) -> bool:
        """Tell whether to ask now. Whoever is told so while it is open asks for all."""
        if self._failures < self._most:
            return True
        now = self._clock()
        if now < self._next_at:
            return False
        self._next_at = now + self._pause_s
        return True

    def note(self, *, answered: bool) -> None:
        if answered:
            self._failures = 0
            return
        self._failures += 1
        if self._failures == self._most:
            self._next_at = self._clock() + self._pause_s
