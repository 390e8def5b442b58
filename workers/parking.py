"""Gives a stream that was held back to its read model again, once what was wrong is put right."""

from collections.abc import Sequence
from typing import Any

import asyncpg
from msgspec import Struct

from domain.ids import StreamName
from projections import generations, table
from projections.projection import Entity, Journal, Periods, Projection, Versioned
from workers.decoded import read_record
from workers.feeds import SQL
from workers.folding import fold


class Unparked(Struct, frozen=True, kw_only=True):
    """`reason` is why the stream is still held back, None when it no longer is."""

    generation: int
    events: int
    reason: str | None


async def unpark(connection: "asyncpg.Connection[asyncpg.Record]", projection: Projection, stream: StreamName) -> Sequence[Unparked]:
    """Fold what was held back, in every generation that held it back; where that fails again the stream stays parked."""
    return [
        await _unpark(connection, projection, generation, stream)
        for generation in await generations.fed(connection, projection)
        if await connection.fetchval(SQL["is_parked"], projection.name, generation.number, stream)
    ]


async def _unpark(
    connection: "asyncpg.Connection[asyncpg.Record]",
    projection: Projection,
    generation: generations.Generation,
    stream: StreamName,
) -> Unparked:
    async with connection.transaction():
        # The projector waits meanwhile: what it would pass over as parked must not fall between us.
        await connection.fetch(SQL["stop_the_projector"], projection.name, generation.number)
        parked_at = await connection.fetchval(SQL["is_parked"], projection.name, generation.number, stream)
        rows: dict[StreamName, Versioned[Any]] = {}
        if isinstance(projection, Entity):
            rows = await table.load(connection, projection, generation, [stream])
        records = await connection.fetch(SQL["events_from"], stream, parked_at)
        events = [read_record(record) for record in records]
        folded = fold(projection, rows, events)
        match projection:
            case Entity():
                await table.save(connection, projection, generation, folded.rows)
            case Journal():
                await table.write_down(connection, projection, generation, folded.entries)
            case Periods():
                await table.save_periods(connection, generation, folded.unwritten)
        reason = folded.poisoned[0].reason if folded.poisoned else folded.stopped_why
        if reason is None:
            await connection.execute(SQL["unpark"], projection.name, generation.number, stream)
        return Unparked(generation=generation.number, events=len(events), reason=reason)
