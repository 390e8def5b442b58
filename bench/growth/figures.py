"""What growth is judged by: how the hot calls' medians at ten times the users compare with those at the smallest size, and lock waits."""

from collections.abc import Sequence
from statistics import median

from bench.goals import Figure, Goal
from bench.growth.calls import CALLS
from bench.growth.measuring import Measured

RATIO = Goal(title="", unit="ratio", must=1.5, aim=1.1, more_is_better=False)
WAITS = Goal(title="lock waits, of database time under mixed writes", unit="%", must=5, aim=1, more_is_better=False)


def figures(sizes: Sequence[Measured]) -> Sequence[Figure]:
    """The ratios of each further size, the worst and the median of all calls; then the share of lock waits at each size."""
    first, *further = sizes
    judged: list[Figure] = []
    for size in further:
        ratios = {call.key: ratio(first, size, call.key) for call in CALLS}
        worst = max(CALLS, key=lambda call: ratios[call.key])
        times = f"{size.users / first.users:g}x"
        judged += [
            _figure(f"{times}_worst", f"p50 at {times} / 1x, the worst: {worst.title}", ratios[worst.key]),
            _figure(f"{times}_median", f"p50 at {times} / 1x, median of all calls", median(ratios.values())),
        ]
    judged += [
        Figure(key=f"locks_{size.users}", goal=_named(WAITS, f"{WAITS.title}, {size.users:,} users"), value=size.waits.lock_percent,
               rounds=(size.waits.lock_percent,))
        for size in sizes
    ]  # fmt: skip
    return judged


def ratio(first: Measured, size: Measured, key: str) -> float:
    """The median of the rounds' own ratios: both sizes of a round were asked one after the other."""
    pairs = zip(first.calls[key].rounds, size.calls[key].rounds, strict=True)
    return median(later / earlier for earlier, later in pairs)


def _figure(key: str, title: str, value: float) -> Figure:
    return Figure(key=key, goal=_named(RATIO, title), value=value, rounds=(value,))


def _named(goal: Goal, title: str) -> Goal:
    return Goal(title=title, unit=goal.unit, must=goal.must, aim=goal.aim, more_is_better=goal.more_is_better)
