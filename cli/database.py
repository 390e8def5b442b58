"""How a command opens a connection of its own, and how it says that a server is away."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.postgres import Connection

_CONNECT_S = 10.0


async def connect(url: str) -> "Connection":
    """Raises CannotStart, naming the settings to look at, when PostgreSQL cannot be reached or does not let us in."""
    import asyncpg

    from adapters.children import CannotStart
    from adapters.postgres import AWAY

    try:
        return await asyncpg.connect(url, timeout=_CONNECT_S)
    except (*AWAY, asyncpg.PostgresError) as error:
        words = f"PostgreSQL cannot be used: {in_words(error)}; look at MINOS_DATABASE_URL and MINOS_MIGRATION_DATABASE_URL"
        raise CannotStart(words) from None


def in_words(error: BaseException) -> str:
    """Give the kind and the first line: the servers' further lines may show values. A timeout has no words of its own."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    text = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
