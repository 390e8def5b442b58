"""Facts as they held at a position: all of some streams, or all streams of which one held, page by page."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeAlias

import asyncpg
from msgspec import Struct

from domain.ids import StreamName
from projections.periods import Fact, Mark, Period
from projections.projection import Periods
from projections.reading import ReadModels
from projections.sql import beside

SQL = dict(beside(__file__))

LANES = 48
"""Levels of the tree: enough for 280 million million positions."""


class Name(NamedTuple):
    """What a fact is about: its kind and its name."""

    what: str
    name: str


_Lane: TypeAlias = tuple[int, int, int]
"""Its number, its node, and the place to go on after."""


class Spot(Struct, frozen=True, array_like=True):
    """Where a page of `holding` ended. Only `holding` knows what it means."""

    lane: int
    place: int


class Held(Struct, frozen=True):
    """A page of periods. `next_after` is None on the last one."""

    periods: Sequence[Period]
    next_after: Spot | None


async def at(
    models: ReadModels, projection: Periods, streams: Iterable[StreamName], position: int
) -> Mapping[StreamName, Sequence[Period]]:
    """Give what held of each of these streams at a position; those of which nothing did are not in it."""
    found: dict[StreamName, list[Period]] = {}
    for record in await models.fetch(projection, SQL["at"], list(dict.fromkeys(streams)), position):
        period = period_of(record)
        found.setdefault(period.stream, []).append(period)
    return found


async def known(models: ReadModels, projection: Periods, facts: Sequence[Name], position: int) -> Sequence[Name]:
    """Give those of these that may have held of any stream at a position, in the order given."""
    whats, names = [fact.what for fact in facts], [fact.name for fact in facts]
    found = {Name(row["what"], row["name"]) for row in await models.fetch(projection, SQL["known"], whats, names, position)}
    return [fact for fact in facts if fact in found]


async def holding(
    models: ReadModels, projection: Periods, fact: Name, position: int, moment: datetime, *, after: Spot | None = None, limit: int = 50
) -> Held:
    """Give periods in which a fact held of whatever stream at a position, without those that had stopped by themselves at that moment.

    Exactly what is found is read, whatever came before and after: none of it is walked through.
    """
    after = after or Spot(0, 0)
    left: list[_Lane] = []
    right: list[_Lane] = []
    for lane, node in enumerate(way_to(position), start=1):
        if lane >= after.lane:
            passed = after.place if lane == after.lane else 0
            (left if node <= position else right).append((lane, node, max(passed, position) if node <= position else passed))
    first = after.place if after.lane == 0 else position
    records = await models.fetch(
        projection, SQL["holding"], fact.what, fact.name, position, moment, first, *_columns(left), *_columns(right), limit + 1
    )
    more = len(records) > limit
    last = records[limit - 1] if more else None
    return Held([period_of(record) for record in records[:limit]], None if last is None else Spot(last["lane"], last["place"]))


def way_to(position: int) -> Sequence[int]:
    """Give the nodes on the way from the top of the tree down to a position: whatever covers it hangs at one of them."""
    return [(position >> (level + 1) << (level + 1)) | (1 << level) for level in range(LANES)]


def _columns(lanes: Sequence[_Lane]) -> tuple[list[int], list[int], list[int]]:
    return [lane for lane, _, _ in lanes], [node for _, node, _ in lanes], [beyond for _, _, beyond in lanes]


def period_of(record: asyncpg.Record) -> Period:
    """Read a row of periods."""
    return Period(
        stream=record["stream"],
        fact=Fact(record["what"], record["name"], record["number"], record["until"]),
        since=Mark(record["from_position"], record["from_at"], record["from_event"]),
        ended=None if record["to_position"] is None else Mark(record["to_position"], record["to_at"], record["to_event"]),
    )
