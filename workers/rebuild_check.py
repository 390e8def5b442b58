"""Compares a new table with fresh folds of some streams, or of some stretches of the log."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg

from adapters.postgres_sql import statements
from domain.codec import EVENT_TYPES
from domain.event import Recorded
from domain.ids import StreamName
from projections import table
from projections.columns import digest_values, from_record
from projections.generations import Generation
from projections.periods import Unwritten
from projections.projection import Entity, Gone, Journal, Periods, Projection, Versioned
from workers.decoded import Unreadable, read_record
from workers.feeds import SQL as FEEDS_SQL

SQL = statements(Path(__file__).with_name("rebuild.sql"))

STREAMS = 400
STRETCHES = 10
STRETCH = 50


async def sample(
    connection: "asyncpg.Connection[asyncpg.Record]", projection: Projection, generation: Generation
) -> tuple[int, Sequence[str]]:
    """Give how many rows were compared, and where rows differ: streams, or positions of a journal."""
    match projection:
        case Entity():
            return await _entity(connection, projection, generation)
        case Journal():
            return await _journal(connection, projection, generation)
        case Periods():
            return await _periods(connection, projection, generation)


async def _entity(
    connection: "asyncpg.Connection[asyncpg.Record]", entity: Entity[Any], generation: Generation
) -> tuple[int, Sequence[str]]:
    """Take streams from the heads, so that one that is missing in the table is found too."""
    # Before the rows: what the table had then it still has, whatever comes meanwhile.
    (state,) = await connection.fetch(SQL["state"], entity.name, generation.number)
    streams = [
        row["stream"] for row in await connection.fetch(SQL["sample_streams"], f"{entity.category}-", f"{entity.category}.", STREAMS)
    ]
    rows = await table.load(connection, entity, generation, streams)
    fresh: dict[StreamName, Versioned[Any] | Gone] = {}
    for record in await connection.fetch(SQL["events_of"], list(rows)):
        event = read_record(record)
        if isinstance(event, Unreadable) or event.version > rows[event.stream].version:
            continue
        folded = entity.fold(fresh.get(event.stream), event)
        if folded is not None:
            fresh[event.stream] = folded
    missing = [
        stream
        for stream in streams
        if stream not in rows and await _should_be_there(connection, entity, generation, stream, position=state["position"])
    ]
    return len(streams), missing + [
        stream
        for stream, row in rows.items()
        if not isinstance(again := fresh.get(stream), Versioned)
        or (again.version, digest_values(entity.columns, again.row)) != (row.version, digest_values(entity.columns, row.row))
    ]


async def _journal(
    connection: "asyncpg.Connection[asyncpg.Record]", journal: Journal[Any], generation: Generation
) -> tuple[int, Sequence[str]]:
    (state,) = await connection.fetch(SQL["state"], journal.name, generation.number)
    position: int = state["position"]
    chance = random.Random()  # noqa: S311 - any stretch will do
    checked, differing = 0, list[str]()
    for after in [0, *(chance.randrange(max(1, position)) for _ in range(STRETCHES))]:
        through = min(position, after + STRETCH)
        async with connection.transaction(readonly=True):
            await connection.execute(SQL["by_the_indexes"])
            records = await connection.fetch(SQL["read"], after, through, "", "~", 0, 63)
        found = {
            record["position"]: digest_values(journal.columns, from_record(journal.columns, journal.row, record))
            for record in await connection.fetch(SQL["journal_rows"].format(table=generation.table), after, through)
        }
        for event in map(read_record, records):
            entry = None if isinstance(event, Unreadable) else journal.write(event)
            wanted = None if entry is None else digest_values(journal.columns, entry)
            checked += 1
            if event.position not in found and wanted is not None and await _held_back(connection, journal, generation, event.stream):
                continue
            if wanted != found.get(event.position or 0):
                differing.append(str(event.position))
    return checked, differing


async def _periods(
    connection: "asyncpg.Connection[asyncpg.Record]", projection: Periods, generation: Generation
) -> tuple[int, Sequence[str]]:
    """Take streams from the heads; what the table has of each is compared with its events up to where the table has come."""
    streams = [
        row["stream"]
        for category in sorted(projection.categories)
        for row in await connection.fetch(SQL["sample_streams"], f"{category}-", f"{category}.", STREAMS)
    ]
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        (state,) = await connection.fetch(SQL["state"], projection.name, generation.number)
        records = await connection.fetch(SQL["placed_events_of"], streams, state["position"])
        rows = await connection.fetch(SQL["periods_of"].format(periods=generation.table), streams)
    found: dict[StreamName, list[tuple[object, ...]]] = {stream: [] for stream in streams}
    for row in rows:
        found[row["stream"]].append(tuple(row))
    fresh = {stream: Unwritten() for stream in streams}
    for event in map(read_record, records):
        turn = projection.turn(event) if isinstance(event, Recorded) else None
        if turn is not None and isinstance(event, Recorded):
            fresh[event.stream].take(event, turn)
    differing = [stream for stream in streams if table.period_values(fresh[stream].periods) != found[stream]]
    return len(streams), [stream for stream in differing if not await _held_back(connection, projection, generation, stream)]


async def _should_be_there(
    connection: "asyncpg.Connection[asyncpg.Record]", entity: Entity[Any], generation: Generation, stream: StreamName, *, position: int
) -> bool:
    """Tell whether a stream without a row ought to have one: its first event was there to be folded, nothing has ended it, not even since
    then, and it is not held back."""
    records = await connection.fetch(FEEDS_SQL["events_from"], stream, 0)
    begun = bool(records) and records[0]["position"] <= position
    ended = bool(records) and EVENT_TYPES.get(records[-1]["type"]) in entity.ends
    return begun and not ended and not await _held_back(connection, entity, generation, stream)


async def _held_back(
    connection: "asyncpg.Connection[asyncpg.Record]", projection: Projection, generation: Generation, stream: StreamName
) -> bool:
    return bool(await connection.fetchval(SQL["held_back"], projection.name, generation.number, stream))
