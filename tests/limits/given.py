"""Limits as tests choose them."""

from collections.abc import Callable
from pathlib import Path

from adapters.limits.counters import MOST, Counters, Rule
from adapters.limits.policy import DEFAULT, Kind, LimitClass, Limits, Rate
from api.limiter import Limiter


def limits(**rates: str) -> Limits:
    """One class for everything, with one rate or several of each kind: `limits(address="3/1m 10/1h")`."""
    return Limits(
        classes={DEFAULT: LimitClass(name=DEFAULT, operations=(), rates={Kind(kind): _rates(text) for kind, text in rates.items()})}
    )


def unlimited() -> Limiter:
    return Limiter(limits(), Counters())


def written(folder: Path, text: str) -> Path:
    path = folder / "limits.toml"
    path.write_text(text)
    return path


class Clock:
    """A monotonic clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def counted(clock: Callable[[], float], rates: str, *, most: int = MOST) -> tuple[Counters, Rule]:
    """Counters with one rule of addresses."""
    counters = Counters(clock=clock, most=most)
    return counters, counters.rules(limits(address=rates).classes[DEFAULT])[Kind.ADDRESS]


def _rates(text: str) -> tuple[Rate, ...]:
    units = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
    made: list[Rate] = []
    for part in text.split():
        amount, _, time = part.partition("/")
        made.append(Rate(int(amount), int(time[:-1] or 1) * units[time[-1]]))
    return tuple(made)
