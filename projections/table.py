"""Rows of a read model in and out of its table, many at a time. Every write is safe to repeat."""

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, assert_never

import asyncpg
from msgspec import Struct

from domain.ids import StreamName
from projections.columns import from_record, to_values
from projections.generations import Connection, Generation
from projections.periods import Period, Unwritten
from projections.projection import Entity, Gone, Journal, Periods, Projection, Versioned
from projections.sql import beside

PERIOD_COLUMNS = (
    "stream", "what", "name", "number", "until", "from_position", "from_at", "from_event", "to_position", "to_at", "to_event",
)  # fmt: skip

SQL = beside(__file__)


async def load(
    connection: Connection, entity: Entity[Any], generation: Generation, streams: Sequence[str]
) -> dict[StreamName, Versioned[Any]]:
    """Read the rows of these streams; those never written are not in the answer."""
    records = await connection.fetch(SQL["load"].format(table=generation.table, columns=", ".join(entity.columns.names)), streams)
    return {record["stream"]: versioned(entity, record) for record in records}


def versioned(entity: Entity[Any], record: asyncpg.Record) -> Versioned[Any]:
    return Versioned(from_record(entity.columns, entity.row, record), record["version"])


async def save(
    connection: Connection, entity: Entity[Any], generation: Generation, rows: Mapping[StreamName, Versioned[Any] | Gone]
) -> None:
    """Write rows where they are newer than what is there, by the version of their stream, and take away what is gone: a statement each."""
    gone = sorted(stream for stream, row in rows.items() if isinstance(row, Gone))
    if gone:
        await connection.execute(SQL["remove"].format(table=generation.table), gone)
        if len(gone) == len(rows):
            return
    names = entity.columns.names
    statement = SQL["save"].format(table=generation.table, columns=", ".join(names), newer=", ".join(f"excluded.{name}" for name in names))
    await connection.execute(statement, entity_values(entity, rows))


def entity_values(entity: Entity[Any], rows: Mapping[StreamName, Versioned[Any] | Gone]) -> list[tuple[object, ...]]:
    """Give rows as the table has them, in the order of their streams: writers of the same rows then never wait in a circle."""
    there = [(stream, row) for stream in sorted(rows) if isinstance(row := rows[stream], Versioned)]
    return [(stream, row.version, *to_values(entity.columns, row.row)) for stream, row in there]


async def write_down(connection: Connection, journal: Journal[Any], generation: Generation, rows: Sequence[Struct]) -> None:
    """Add rows to a journal; those already there stay as they are."""
    statement = SQL["write_down"].format(table=generation.table, columns=", ".join(journal.columns.names))
    await connection.execute(statement, [to_values(journal.columns, row) for row in rows])


async def save_periods(connection: Connection, generation: Generation, unwritten: Unwritten) -> None:
    """End what is ended and add what is new; an end that is known already stays as it is."""
    ends = [(e.stream, e.what, e.name, e.mark.position, e.mark.at, e.mark.event_id) for e in unwritten.ends]
    if ends:
        await connection.execute(SQL["end_periods"].format(table=generation.table), *map(list, zip(*ends, strict=True)))
    rows = period_values(unwritten.periods)
    if rows:
        await connection.execute(SQL["save_periods"].format(table=generation.table), [(*row, None) for row in rows])


def period_values(periods: Iterable[Period]) -> list[tuple[object, ...]]:
    """Give rows as the table has them, up to the column it fills itself; in one order, for the reason above."""
    return sorted(map(_period_values, periods), key=itemgetter(0, 1, 2, 5))


def _period_values(period: Period) -> tuple[Any, ...]:
    fact, since, ended = period.fact, period.since, period.ended
    closing = (None, None, None) if ended is None else (ended.position, ended.at, ended.event_id)
    return (period.stream, fact.what, fact.name, fact.number, fact.until, since.position, since.at, since.event_id, *closing)


async def copy_in(connection: Connection, projection: Projection, generation: Generation, values: Sequence[tuple[object, ...]]) -> None:
    """Fill a table nobody reads yet."""
    schema, _, table = generation.table.partition(".")
    await connection.copy_records_to_table(table, schema_name=schema, records=values, columns=_filled(projection))


def _filled(projection: Projection) -> Sequence[str]:
    match projection:
        case Journal():
            return projection.columns.names
        case Entity():
            return ("stream", "version", *projection.columns.names)
        case Periods():
            return PERIOD_COLUMNS
        case _:
            assert_never(projection)
