"""How much is measured: everything with its time, or a little of everything to see that it works."""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec import Struct

from bench.goals import Rounds


class Scale(Struct, frozen=True, kw_only=True):
    rounds: int
    pairs: int
    """Rounds of what compares appends with and without something: single ratios were 0.77 to 0.97 with a long log, and costs -3 to 19 %."""
    seconds: float
    """Of each measurement in each round."""
    stored_events: int
    """In the log that appends are compared on."""
    rebuilt_events: int
    starts: int
    imported: int
    """Accounts of another system, in each round."""
    turns: int
    """Of the limits' cost, short ones: what is looked for is smaller than what a shared machine does to one of them."""
    people: int
    """With a session each, for the load over HTTP."""
    users_then: int
    """Of whom it is asked who could do something, with ten events each."""
    asked_then: int
    """Moments, in each round."""


FULL = Scale(
    rounds=3, pairs=9, seconds=4.0, stored_events=10_000_000, rebuilt_events=500_000, starts=3, imported=5_000, turns=36, people=64,
    users_then=1_000_000, asked_then=400,
)  # fmt: skip
QUICK = Scale(
    rounds=1, pairs=1, seconds=0.3, stored_events=2_000, rebuilt_events=1_000, starts=1, imported=10, turns=1, people=4,
    users_then=1_000, asked_then=10,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measuring:
    """What every part is given: how much to measure, where the figures go, and whom to tell what is being done."""

    scale: Scale
    rounds: Rounds
    told: Callable[[str], None]
