"""Connecting to whichever of the named servers takes writes now: the primary, also after another one was promoted.

Without this, a server that is cut off would use up all the time that a connection may take, and its standby would never be asked.
"""

from typing import Any, TypeAlias

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from adapters.server_urls import each

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

_WRITABLE = SessionAttribute.read_write
_TRY_THE_NEXT = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
)
"""What a server says, or does not, that another one may not say: it is away, starting, full, or takes no writes."""
_last: dict[str, str] = {}
"""Who took writes when last connected to, by URL: asked first."""


async def connect(url: str, *, timeout: float, **options: Any) -> "asyncpg.Connection[asyncpg.Record]":
    """Connect within `timeout` seconds as asyncpg does. Of several servers it is the first that takes writes.

    Raises what asyncpg does, of several servers the last one's refusal.
    """
    servers = each(url)
    if len(servers) == 1:
        only: Connection = await asyncpg.connect(url, timeout=timeout, **options)
        return only
    share, first = timeout / len(servers), _last.get(url, servers[0])
    refused: Exception | None = None
    for server in sorted(servers, key=lambda server: server != first):
        try:
            connection: Connection = await asyncpg.connect(server, timeout=share, target_session_attrs=_WRITABLE, **options)
        except _TRY_THE_NEXT as error:
            refused = error
        else:
            _last[url] = server
            return connection
    raise refused or OSError


def newest(url: str) -> str:
    """Give the URL of the one server that was connected to last, by this of several."""
    return _last.get(url, each(url)[0])


def pool(url: str, *, size: int, timeout: float, **options: Any) -> Pool:
    """Make a pool of at most `size` connections that are opened when needed, each within `timeout` seconds."""
    how: Any = connect  # it takes what it is given here, of all that its type names
    made: Pool = asyncpg.create_pool(url, min_size=0, max_size=size, timeout=timeout, connect=how, **options)
    return made
