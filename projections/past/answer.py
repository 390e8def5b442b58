"""What every question about the past is answered with."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from domain.ids import StreamName
from projections.past.moments import Moment
from projections.past.rights import What, rights
from projections.past.snapshot import Snapshot, Standing
from projections.past.walks import Place
from projections.periods import Mark
from projections.projection import category_of
from projections.reading import ReadModels
from projections.sql import beside

R = TypeVar("R")
_IN_FORCE = {"client": What.REGISTERED, "api_key": What.OWNER, "role": What.DEFINED}
"""What holds of a stream from its beginning to its end. Of an account nothing does: it has no end but being deleted."""
_SQL = beside(__file__)


class Answer(Struct, Generic[R], frozen=True, kw_only=True):
    """A page of rows, each with the events it follows from. It may hold fewer than asked for and not be the last: that has no `next_after`.

    `standing` is that of whom or what was asked about, where it was about one.
    """

    then: Moment
    rows: Sequence[R]
    next_after: Place | None
    standing: Standing | None = None
    cites: Sequence[Mark] = ()
    """The event that the standing follows from, where there is one."""
    erased: bool = False
    """Whoever was asked about was forgotten since: nothing of them is left but the id."""


async def standing(models: ReadModels, seen: Snapshot, stream: StreamName) -> tuple[Standing, Sequence[Mark]]:
    """Say how somebody or something stood, by what its stream is named."""
    if barred := seen.barred(stream):
        return barred[0], (barred[1].since,)
    (row,) = await models.fetch(rights, _SQL["began"], stream)
    if row["began"] is None or row["began"] > seen.then.position:
        return Standing.ABSENT, ()
    kind = _IN_FORCE.get(category_of(stream))
    if kind is None:
        return Standing.ACTIVE, ()
    in_force = seen.one(stream, kind)
    if in_force is None or (category_of(stream) == "api_key" and not seen.lasts(stream)):
        return Standing.ENDED, ()
    return Standing.ACTIVE, (in_force.since,)
