"""How a command opens a connection of its own, and how it says that a server is away."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.postgres import Connection

_CONNECT_S = 10.0
OTHERS = "MINOS_MIGRATION_DATABASE_URL and MINOS_BACKUP_DATABASE_URL where they are set"


def database_copy(url: str) -> str:
    """Be the type of an argument that names a database: what is none is refused before anything is asked of it, and not repeated."""
    from adapters.settings_checks import split_url

    parts = split_url(url)
    if parts is None or parts.scheme not in {"postgresql", "postgres"}:
        raise argparse.ArgumentTypeError("expected postgresql://<role>:<password>@<host>:<port>/<database>")
    return url


async def connect(url: str) -> "Connection":
    """Raises CannotStart, naming the settings to look at, when PostgreSQL cannot be reached or does not let us in."""
    import asyncpg

    from adapters import postgres_connect
    from adapters.children import CannotStart
    from adapters.postgres import AWAY

    try:
        return await postgres_connect.connect(url, timeout=_CONNECT_S)
    except (*AWAY, asyncpg.PostgresError) as error:
        words = f"PostgreSQL cannot be used: {in_words(error)}; look at MINOS_DATABASE_URL, and at {OTHERS}"
        raise CannotStart(words) from None


async def reached(url: str) -> None:
    """Raises CannotStart as `connect` does, for what then opens connections of its own."""
    connection = await connect(url)
    await connection.close(timeout=_CONNECT_S)


def in_words(error: BaseException) -> str:
    """Give the first line of what a server or the system says: further lines may show values. Where neither says anything, the kind.

    A timeout has no words of its own.
    """
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).partition("\n")[0] or type(error).__name__
