"""A moment of the past as a position of the log, and whether the read models know what held there."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from time import monotonic

import msgspec
from msgspec import Struct

from domain.errors import NoSuchPosition, StoreUnavailable
from domain.ids import StreamName
from projections.past.rights import rights
from projections.past.signed_in import signed_in
from projections.reading import ReadModels
from projections.sql import beside

RULE = 1
"""Which rule answers: rises when other answers follow from the same events."""
WAIT_SECONDS = 2.0
_POLL_SECONDS = 0.02
_POSITION = "position:"
_DIGITS = 15
_AFTER_ALL = datetime(9999, 1, 1, tzinfo=UTC)
"""No moment is later than the database's clock has it."""
_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)
_SQL = beside(__file__)


class Moment(Struct, frozen=True, kw_only=True):
    """Everything up to `position` had happened, and nothing after it."""

    position: int
    epoch: int
    at: datetime
    """The moment itself, by which it is judged what had run out: as it was asked for, and never in the future."""
    log_time: datetime | None
    """The time of the log at the position: the newest of all events up to there. None before the first."""
    checkpoint: int | None
    """The size of the newest signed checkpoint, where it covers the position; None while none does."""
    rule: int = RULE
    held_back: Sequence[StreamName] = ()
    """Streams with an event up to here that cannot be read, or was moved away with a part of the log: it is not in the answer."""


def read_when(text: str) -> datetime | int:
    """Read an RFC 3339 time with an offset, `position:N`, or `now`. Raises ValueError."""
    if text == "now":
        return _AFTER_ALL
    if text.startswith(_POSITION):
        digits = text.removeprefix(_POSITION)
        if digits.isascii() and digits.isdecimal() and len(digits) <= _DIGITS:
            return int(digits)
        raise ValueError(text)
    at = msgspec.convert(text, datetime)  # its error is a ValueError
    if at.tzinfo is None:
        raise ValueError(text)
    return min(max(at, _BEFORE_ALL), _AFTER_ALL)


async def moment(models: ReadModels, when: datetime | int) -> Moment:
    """Find a time, or a position. Waits until the read models have come there.

    Raises NoSuchPosition for one that the log does not reach, StoreUnavailable, also where the read models stand still before it.
    """
    statement = _SQL["of_position" if isinstance(when, int) else "of_time"]
    (row,) = await models.fetch(rights, statement, when)
    if row["position"] > row["size"]:
        raise NoSuchPosition
    return Moment(
        position=row["position"],
        epoch=row["epoch"],
        at=row["at"] or _BEFORE_ALL,
        log_time=row["log_time"],
        checkpoint=row["checkpoint"],
        held_back=await _reached(models, row["position"]),
    )


async def _reached(models: ReadModels, position: int) -> Sequence[StreamName]:
    """Give the streams held back up to there, once the rest is known."""
    deadline = monotonic() + WAIT_SECONDS
    held_back: set[StreamName] = set()
    for projection in (rights, signed_in):
        generation = await models.generation(projection)
        while True:
            (row,) = await models.fetch(projection, _SQL["reached"], projection.name, generation.number)
            if row["position"] >= position:
                break
            if monotonic() > deadline:
                raise StoreUnavailable
            await asyncio.sleep(_POLL_SECONDS)
        rows = await models.fetch(projection, _SQL["held_back"], projection.name, generation.number, position)
        held_back.update(row["stream"] for row in rows)
    return sorted(held_back)
