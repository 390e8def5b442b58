"""Where every read model stands, for people and for the metrics."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import asyncpg
import msgspec
from msgspec import Struct

from adapters.postgres_sql import statements
from projections import generations
from projections.catalogue import ALL

SQL = statements(Path(__file__).with_suffix(".sql"))


class Standing(Struct, frozen=True, kw_only=True):
    """One generation of one read model. `lag_events` counts what is sequenced and not in it."""

    name: str
    generation: int
    serving: bool
    previous: bool
    """It served before and can be gone back to."""
    status: str
    reason: str | None
    position: int
    epoch: int
    lag_events: int
    parked: int
    moved_at: datetime


class ParkedStream(Struct, frozen=True, kw_only=True):
    name: str
    generation: int
    stream: str
    position: int
    reason: str
    parked_at: datetime


async def standings(connection: "asyncpg.Connection[asyncpg.Record]") -> Sequence[Standing]:
    return [msgspec.convert(dict(row), type=Standing) for row in await standing_rows(connection.fetch)]


async def standing_rows(fetch: generations.Fetch) -> Sequence[asyncpg.Record]:
    return await fetch(SQL["standings"], *await generations.serving(fetch, ALL))


async def parked_streams(connection: "asyncpg.Connection[asyncpg.Record]", limit: int = 100) -> Sequence[ParkedStream]:
    """Give what is held back, the longest held first."""
    return [msgspec.convert(dict(record), type=ParkedStream) for record in await connection.fetch(SQL["parked_streams"], limit)]
