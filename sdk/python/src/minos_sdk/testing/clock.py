"""A clock that goes when it is told to."""

from collections.abc import Callable

from minos_sdk import given

BEGINNING = 1_800_000_000.0


class SettableClock:
    """minos_sdk.ports.Clock. Both of its times move together, unless `set_back` says otherwise."""

    def __init__(self, at: float = BEGINNING) -> None:
        given.number("at", at, unit="seconds since 1970")
        self._wall = at
        self._wrong_by = 0.0
        self._monotonic = 1_000.0
        self._callbacks: list[Callable[[], None]] = []
        self.time: Callable[[], float] = lambda: self._wall
        self.monotonic: Callable[[], float] = lambda: self._monotonic

    def advance(self, seconds: float) -> None:
        given.number("seconds", seconds, why="time goes on; `set_back` is for a clock that is wrong")
        self._wall += seconds
        self._monotonic += seconds
        for callback in self._callbacks:
            callback()

    def set_back(self, seconds: float) -> None:
        """Make the wall clock alone wrong by so much."""
        self._wall -= seconds
        self._wrong_by += seconds

    def true_time(self) -> float:
        """What the authority's clock says."""
        return self._wall + self._wrong_by

    def on_advance(self, callback: Callable[[], None]) -> None:
        self._callbacks.append(callback)
