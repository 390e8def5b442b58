"""What is otherwise at one moment than at an earlier one: who gained or lost what, and by which events.

Read in the order of the log: each page looks at a stretch of what began and ended, and then at both moments of the streams it met. What
changed and changed back is in no page.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from operator import attrgetter

from msgspec import Struct

from domain.factor_policy import Requirement
from domain.ids import StreamName
from projections.past import facts
from projections.past.facts import Name
from projections.past.moments import Moment
from projections.past.rights import REQUIREMENTS, What, rights
from projections.past.snapshot import forgotten
from projections.periods import Fact, Mark, Period
from projections.reading import ReadModels
from projections.sql import beside

LOOKED_AT = 500
"""Facts that began or ended, of which one page looks at as many; and at all that one event did."""
_SQL = beside(__file__)


class Turned(StrEnum):
    GAINED = "gained"
    LOST = "lost"
    CHANGED = "changed"
    """It held at both moments, on other terms."""


class Terms(Struct, frozen=True, kw_only=True):
    """What a fact says besides that it holds."""

    until: datetime | None = None
    """When an API key ends by itself."""
    requirement: Requirement | None = None
    """What has to be shown before a role gives anything."""


class Change(Struct, frozen=True, kw_only=True):
    """One thing that holds of somebody or something at one of two moments alone, or on other terms."""

    turned: Turned
    subject: str
    """`user`, `role`, `client`, `api_key`, or `factor_policy`, of which there is one."""
    id: str
    what: What
    name: str
    """The role, permission, audience or owner it is about; empty where there is only one of the kind."""
    before: Terms | None
    """None where it did not hold."""
    after: Terms | None
    erased: bool
    """An account that was forgotten since: nothing is left of it but the id."""
    cites: Sequence[Mark]
    """The event that ended it as it was, and the one from which it is as it came to be."""

    @property
    def position(self) -> int:
        return self.cites[-1].position


class Difference(Struct, frozen=True, kw_only=True):
    """A page, in the order of the log. It may hold fewer rows than asked for and not be the last, or more by what one event did."""

    first: Moment
    last: Moment
    rows: Sequence[Change]
    next_after: int | None
    """The position that the page goes up to; None on the last one."""


async def diff(models: ReadModels, first: Moment, last: Moment, *, after: int | None = None, limit: int = 50) -> Difference:
    """List what is otherwise at `last`, which is not before `first`. Raises StoreUnavailable."""
    begin = first.position if after is None else after
    streams, reached = await _met(models, begin, last.position)
    before = await facts.at(models, rights, streams, first.position)
    now = await facts.at(models, rights, streams, last.position)
    erased = await forgotten(models, streams)
    found = [change for stream in streams for change in _changes(stream, before.get(stream, ()), now.get(stream, ()), stream in erased)]
    rows = sorted((change for change in found if begin < change.position <= reached), key=attrgetter("position", "what", "name"))
    if len(rows) > limit:
        reached = rows[limit - 1].position
        rows = [row for row in rows if row.position <= reached]
    return Difference(first=first, last=last, rows=rows, next_after=reached if reached < last.position else None)


async def _met(models: ReadModels, begin: int, end: int) -> tuple[Sequence[StreamName], int]:
    """Give the streams of which something began or ended, and up to which position these are all."""
    streams: dict[StreamName, None] = {}
    reached = end
    for statement in (_SQL["begun"], _SQL["ended"]):
        records = await models.fetch(rights, statement, begin, end, LOOKED_AT)
        streams |= dict.fromkeys(record["stream"] for record in records)
        if len(records) >= LOOKED_AT:
            reached = min(reached, records[-1]["place"])
    return list(streams), reached


def _changes(stream: StreamName, before: Iterable[Period], after: Iterable[Period], erased: bool) -> Iterable[Change]:
    then, now = _by_name(before), _by_name(after)
    category, _, name = stream.partition("-")
    for fact in {**then, **now}:
        old, new = then.get(fact), now.get(fact)
        was, came = _terms(old), _terms(new)
        if was == came:
            continue
        turned = Turned.GAINED if old is None else Turned.LOST if new is None else Turned.CHANGED
        ended = () if old is None or old.ended is None else (old.ended,)
        begun = () if new is None else (new.since,)
        yield Change(
            turned=turned, subject=category, id=name, what=What(fact.what), name=fact.name, before=was, after=came, erased=erased,
            cites=tuple(dict.fromkeys((*ended, *begun))),
        )  # fmt: skip


def _by_name(periods: Iterable[Period]) -> Mapping[Name, Period]:
    """A token epoch is no right: it ends tokens, and is not told of."""
    return {Name(period.fact.what, period.fact.name): period for period in periods if period.fact.what != What.EPOCH}


def _terms(period: Period | None) -> Terms | None:
    return None if period is None else _said(period.fact)


def _said(fact: Fact) -> Terms:
    """The number of a role's definition is no term of it: what it gives is told by itself."""
    demanded = fact.what == What.DEMANDS and fact.number is not None
    return Terms(until=fact.until, requirement=REQUIREMENTS[fact.number or 0] if demanded else None)
