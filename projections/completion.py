"""Reading rows as their streams are now: what the projector has not folded yet is folded onto them here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import asyncpg
import msgspec
from msgspec import Struct

from domain.errors import UnknownEventTag
from domain.ids import StreamName
from projections.projection import Entity, Gone, NotListed, NotYetBegun, StreamGap, Versioned
from projections.reading import ReadModels
from projections.recorded import from_log
from projections.sql import beside
from projections.table import versioned

R = TypeVar("R", bound=Struct)

_SQL = beside(__file__)


@dataclass(frozen=True, slots=True)
class Completed(Generic[R]):
    """A row and the version of the stream it shows.

    `current` is False only where an event could not be folded: then the row is older than its stream.
    """

    row: R
    version: int
    current: bool


async def completed(models: ReadModels, entity: Entity[R], stream: StreamName) -> Completed[R] | None:
    """Give the row of one stream as of its head. None when the stream does not exist, or has ended."""
    return (await completed_many(models, entity, [stream])).get(stream)


async def completed_many(models: ReadModels, entity: Entity[R], streams: Sequence[StreamName]) -> dict[StreamName, Completed[R]]:
    """Give rows, heads and missing events of several streams in one query, and so of one moment."""
    records = await models.fetch(entity, _SQL["completed"], streams)
    by_stream: dict[StreamName, list[asyncpg.Record]] = {}
    for record in records:
        by_stream.setdefault(record["stream"], []).append(record)
    found = {stream: _folded(entity, of_stream) for stream, of_stream in by_stream.items()}
    return {stream: row for stream, row in found.items() if row is not None}


def _folded(entity: Entity[R], records: Sequence[asyncpg.Record]) -> Completed[R] | None:
    first = records[0]
    state: Versioned[R] | Gone | None = None if first["held"] is None else versioned(entity, first["held"])
    try:
        for record in records:
            if record["type"] is not None:
                state = entity.fold(state, from_log(record))
    except (UnknownEventTag, msgspec.MsgspecError, NotListed, NotYetBegun, StreamGap):
        # The projector parks such a stream and raises the alarm; here the last state that is known is better than none.
        pass
    if state is None or isinstance(state, Gone):
        return None
    return Completed(row=state.row, version=state.version, current=state.version >= first["head_version"])
