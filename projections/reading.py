"""How queries reach the tables: which generation, over which connection, how fresh."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import Any, Generic, TypeVar

import asyncpg
from msgspec import Struct

from domain.errors import LogDetached, StoreUnavailable
from domain.ids import StreamName
from projections.columns import from_record
from projections.generations import Generation, served
from projections.projection import Entity, Journal, Projection
from projections.sql import beside

R = TypeVar("R", bound=Struct)
A = TypeVar("A")

QUERY_SECONDS = 4.0
_ACQUIRE_SECONDS = 1.0
_GENERATION_SECONDS = 1.0
"""How long an answer to "which generation serves" is believed. The one before is kept up to date, so a late switch is harmless."""
_POLL_SECONDS = 0.01

_AWAY = (
    OSError,
    EOFError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionTimeoutError,
)

_DETACHED = "MD001"
"""What functions of the database raise for events that lie elsewhere, with the partition and its first and last position."""

_SQL = beside(__file__)


class Freshness(Struct, frozen=True, kw_only=True):
    """The log up to `position` of `epoch` is in the answer, perhaps more.

    `age_ms` is how long ago the oldest event that is not in it was recorded; 0 when there is none.
    """

    epoch: int
    position: int
    age_ms: int


class Page(Struct, Generic[R, A], frozen=True, kw_only=True):
    """Some rows of a list. `next_after` is where to go on; None on the last page."""

    rows: Sequence[R]
    next_after: A | None
    freshness: Freshness


class ReadModels:
    """The read models of one database, over a pool of the caller's. Every query has a deadline and raises StoreUnavailable past it,
    LogDetached where it needs events that were moved away.
    """

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool
        self._served: dict[str, tuple[float, Generation]] = {}

    async def generation(self, projection: Projection) -> Generation:
        """Give the generation that serves. Raises StoreUnavailable while there is none."""
        known = self._served.get(projection.name)
        if known is not None and monotonic() - known[0] < _GENERATION_SECONDS:
            return known[1]
        try:
            async with self._pool.acquire(timeout=_ACQUIRE_SECONDS) as connection:
                generation = await served(connection, projection)
        except _AWAY as error:
            raise StoreUnavailable from error
        if generation is None:
            raise StoreUnavailable
        self._served[projection.name] = (monotonic(), generation)
        return generation

    async def fetch(self, projection: Projection, statement: str, *values: object) -> Sequence[asyncpg.Record]:
        """Run a statement in which `{table}` stands for the serving table."""
        generation = await self.generation(projection)
        try:
            return await self._run(statement.replace("{table}", generation.table), *values)
        except asyncpg.UndefinedTableError:
            # Dropped between two looks at which one serves: only a second switch within a second can do that.
            del self._served[projection.name]
            generation = await self.generation(projection)
            return await self._run(statement.replace("{table}", generation.table), *values)

    async def rows(
        self, projection: "Entity[R] | Journal[R]", name: str, conditions: str, values: Sequence[object]
    ) -> tuple[list[R], Freshness]:
        """Run the projection's statement `name`, with its last value as the limit, and say how fresh the answer is at least."""
        # First how fresh: what comes between the two only makes the answer fresher than it says.
        fresh = await self.freshness(projection)
        statement = projection.sql[name].replace("{conditions}", conditions).replace("{limit}", f"${len(values)}")
        records = await self.fetch(projection, statement, *values)
        return [from_record(projection.columns, projection.row, record) for record in records], fresh

    async def page(
        self, projection: "Entity[R] | Journal[R]", filters: Mapping[str, Any], limit: int, place: Callable[[R], A]
    ) -> Page[R, A]:
        """Run the projection's statement `page` for one row more than `limit`, which tells whether that was all.

        `place` is where a row stands in the list. Raises StoreUnavailable.
        """
        conditions, values = matching(projection.sql, filters)
        rows, fresh = await self.rows(projection, "page", conditions, [*values, limit + 1])
        return Page(rows=rows[:limit], next_after=place(rows[limit - 1]) if len(rows) > limit else None, freshness=fresh)

    async def freshness(self, projection: Projection) -> Freshness:
        generation = await self.generation(projection)
        (row,) = await self._run(_SQL["freshness"], projection.name, generation.number)
        return Freshness(epoch=row["epoch"], position=row["position"], age_ms=row["age_ms"])

    async def wait_for(self, projection: Projection, stream: StreamName, version: int, *, timeout_ms: int = 300) -> bool:
        """Wait until the read model has passed that event. False when the time was up first, or the event does not exist."""
        generation = await self.generation(projection)
        deadline = monotonic() + timeout_ms / 1000
        while True:
            (row,) = await self._run(_SQL["passed"], projection.name, generation.number, stream, version)
            if row["passed"]:
                return True
            if monotonic() + _POLL_SECONDS >= deadline:
                return False
            await asyncio.sleep(_POLL_SECONDS)

    async def _run(self, statement: str, *values: object) -> Sequence[asyncpg.Record]:
        try:
            async with self._pool.acquire(timeout=_ACQUIRE_SECONDS) as connection:
                return await connection.fetch(statement, *values, timeout=QUERY_SECONDS)
        except _AWAY as error:
            raise StoreUnavailable from error
        except asyncpg.PostgresError as error:
            if error.sqlstate == _DETACHED:
                raise LogDetached(*map(int, str(error).split())) from None
            raise


def matching(sql: Mapping[str, str], filters: Mapping[str, Any]) -> tuple[str, list[object]]:
    """Put together the conditions whose filter was given: fragments from the `.sql` file, values as parameters."""
    wanted = [(sql[name], value) for name, value in filters.items() if value is not None]
    conditions = " ".join(fragment.replace("{value}", f"${number}") for number, (fragment, _) in enumerate(wanted, start=1))
    return conditions, [value for _, value in wanted]
