"""Who several facts held of, one fact after the other, on one page."""

from collections.abc import Sequence

from msgspec import Struct

from projections.past import facts
from projections.past.facts import Name, Spot
from projections.past.moments import Moment
from projections.periods import Period
from projections.projection import Periods
from projections.reading import ReadModels

LOOKS = 24
"""Facts one page looks at: what is left is for the next one, which costs no more."""
EVERYTHING = 10_000


class Place(Struct, frozen=True, array_like=True):
    """Where a page ended: at which fact, and where among those it held of."""

    fact: Name
    spot: Spot


class Walked(Struct, frozen=True):
    """A page of periods, which may hold fewer than asked for and not be the last one: that has no `next_after`."""

    periods: Sequence[Period]
    next_after: Place | None


async def walk(models: ReadModels, projection: Periods, names: Sequence[Name], then: Moment, *, after: Place | None, limit: int) -> Walked:
    """Go on after a place, through these facts in their order."""
    first = 0 if after is None or after.fact not in names else names.index(after.fact)
    spot = None if after is None else after.spot
    found: list[Period] = []
    for number, name in enumerate(names[first : first + LOOKS], start=first + 1):
        held = await facts.holding(models, projection, name, then.position, then.at, after=spot, limit=limit - len(found))
        found += held.periods
        spot = None
        if held.next_after is not None:
            return Walked(found, Place(name, held.next_after))
        if len(found) == limit:
            return Walked(found, _beginning(names, number))
    return Walked(found, _beginning(names, first + LOOKS))


def _beginning(names: Sequence[Name], number: int) -> Place | None:
    return Place(names[number], Spot(0, 0)) if number < len(names) else None


async def all_of(models: ReadModels, projection: Periods, names: Sequence[Name], then: Moment) -> Sequence[Period]:
    """Give all that these facts held of: for kinds of which there are hundreds, not millions."""
    found: list[Period] = []
    for name in names:
        held = await facts.holding(models, projection, name, then.position, then.at, limit=EVERYTHING)
        found += held.periods
    return found
