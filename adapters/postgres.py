"""One connection that comes back by itself, and what counts as Postgres being away."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias, TypeVar

import asyncpg

from adapters.postgres_connect import connect
from domain.errors import LogDetached, StoreUnavailable

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
_T = TypeVar("_T")

CONNECT_SECONDS = 3.0
STATEMENT_SECONDS = 5.0

DETACHED = "MD001"
"""What functions of ours raise for events that lie elsewhere, with the partition and its first and last position."""

AWAY = (
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
    asyncpg.PostgresSystemError,
    asyncpg.TransactionRollbackError,
    asyncpg.InvalidTransactionStateError,
    asyncpg.LockNotAvailableError,
    asyncpg.InvalidCatalogNameError,
)
"""Errors after which the connection is given up and the caller hears StoreUnavailable: network, shutdown, restart,
cancelled statements, full disks, a standby that took the connection, deadlocks."""


class StatementRefused(Exception):
    """Postgres understood and refused: a mistake of ours, and nothing happened. Says which kind and which constraint.

    The driver's own error is left out: it quotes rows and arguments, and those may hold what no log may see.
    """

    def __init__(self, error: asyncpg.PostgresError) -> None:
        self.sqlstate = error.sqlstate
        constraint = getattr(error, "constraint_name", None)
        super().__init__(f"{type(error).__name__} {error.sqlstate}" + (f" by {constraint}" if constraint else ""))


class Link:
    """One connection to one database, opened when first needed and again after every loss. One caller at a time.

    With `prepared` False each statement runs in a transaction of its own over the unnamed statement, which works
    behind any transaction pooler; otherwise statements are prepared once and the pooler has to know them
    (PgBouncer 1.21 and newer with max_prepared_statements). Nothing else about a session is relied upon.
    """

    def __init__(self, url: str, *, prepared: bool = True, seconds: float = STATEMENT_SECONDS) -> None:
        self._url = url
        self._prepared = prepared
        self._seconds = seconds
        self._connection: Connection | None = None

    def __repr__(self) -> str:
        return "Link()"

    async def ready(self) -> None:
        """Have a connection. Raises StoreUnavailable when there is none to be had; then nothing was sent."""
        try:
            await self._open()
        except AWAY as error:
            self.drop()
            raise StoreUnavailable from error

    async def fetch(self, sql: str, *arguments: object, seconds: float | None = None) -> Sequence[asyncpg.Record]:
        """Run one statement. Raises StoreUnavailable when Postgres is away; then it may or may not have happened.

        Raises StatementRefused when it did not happen for a reason that will not pass, LogDetached where it needs what lies elsewhere.
        """
        limit = self._seconds if seconds is None else seconds

        async def ask(connection: Connection) -> Sequence[asyncpg.Record]:
            if self._prepared:
                return await connection.fetch(sql, *arguments, timeout=limit)
            # Twice, because a roll-back after a timeout has to have a deadline too.
            async with asyncio.timeout(2 * limit), connection.transaction():
                return await connection.fetch(sql, *arguments, timeout=limit)

        return await self._ask(ask)

    async def _ask(self, ask: Callable[[Connection], Awaitable[_T]]) -> _T:
        try:
            return await ask(await self._open())
        except AWAY as error:
            self.drop()
            raise StoreUnavailable from error
        except asyncpg.PostgresError as error:
            if error.sqlstate == DETACHED:
                raise LogDetached(*map(int, str(error).split())) from None
            raise StatementRefused(error) from None
        except BaseException as error:
            # A cancelled call leaves an answer on the wire that nobody may take for his own.
            if not isinstance(error, Exception):
                self.drop()
            raise

    async def read(self, sql: str, *arguments: object, seconds: float | None = None) -> Sequence[asyncpg.Record]:
        """Run a statement that changes nothing: once more over a new connection when the old one turns out dead."""
        return await self._once_more(lambda: self.fetch(sql, *arguments, seconds=seconds))

    async def read_together(self, *questions: tuple[str, Sequence[object]]) -> Sequence[Sequence[asyncpg.Record]]:
        """Run statements with their arguments as `read` does, all on one state of the database. What one sets locally holds to the end."""

        async def ask(connection: Connection) -> Sequence[Sequence[asyncpg.Record]]:
            whole = asyncio.timeout((len(questions) + 1) * self._seconds)
            async with whole, connection.transaction(isolation="repeatable_read", readonly=True):
                return [await connection.fetch(sql, *arguments, timeout=self._seconds) for sql, arguments in questions]

        return await self._once_more(lambda: self._ask(ask))

    async def _once_more(self, asked: Callable[[], Awaitable[_T]]) -> _T:
        if self._connection is None:
            return await asked()
        try:
            return await asked()
        except StoreUnavailable as error:
            if isinstance(error.__cause__, TimeoutError):
                raise
            return await asked()

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                await connection.close(timeout=1.0)
            except (*AWAY, asyncpg.PostgresError):
                connection.terminate()

    def drop(self) -> None:
        """Give the connection up without a word to the server."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def _open(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            options: dict[str, Any] = {} if self._prepared else {"statement_cache_size": 0}
            self._connection = await connect(self._url, timeout=CONNECT_SECONDS, max_cached_statement_lifetime=0, **options)
        return self._connection
