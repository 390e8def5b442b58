"""What `minos doctor` looks at in NATS: that it can be used, and that the stream goes on where the log does."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from adapters.nats_credentials import BadCredentials, proof
from adapters.postgres import AWAY, Connection
from adapters.postgres_connect import connect
from adapters.postgres_sql import statements
from adapters.server_urls import each
from adapters.settings import Settings
from cli.database import in_words
from cli.finding import FURTHEST_BEHIND_S, Finding, found

if TYPE_CHECKING:
    from nats.aio.client import Client

SQL = statements(Path(__file__).with_suffix(".sql"))
_DEADLINE_S = 5.0


class DatabaseAway(Exception):
    """The message is what was said of it."""


async def broker(settings: Settings) -> AsyncIterator[Finding]:
    from nats.aio.client import Client
    from nats.errors import Error

    from adapters.jetstream import StreamAway
    from cli.stream_checks import streams

    if settings.nats_url is None:
        yield Finding(check="broker", ok=False, detail="none: set MINOS_NATS_URL, or run `minos up`")
        return
    client = Client()
    try:
        async with asyncio.timeout(_DEADLINE_S):
            known, servers = proof(settings.nats_credentials), list(each(settings.nats_url.reveal()))
            await client.connect(servers, allow_reconnect=False, connect_timeout=2, error_cb=_keep_quiet, **known)  # pyright: ignore[reportUnknownMemberType] - its options have no types
            account = await client.jetstream().account_info()  # pyright: ignore[reportUnknownMemberType] - nor have these
            yield Finding(check="broker", ok=True, detail=f"JetStream on, streams: {account.streams}")
            if settings.database_url is not None:
                connection = await _database(settings.database_url.reveal())
                try:
                    stream, epoch = await _stream(connection, client)
                finally:
                    await connection.close(timeout=_DEADLINE_S)
                yield stream
                for finding in await streams(client, epoch):
                    yield finding
    except (BadCredentials, OSError, TimeoutError, Error, StreamAway) as error:
        advice = "bring NATS back, or look at MINOS_NATS_URL and MINOS_NATS_CREDENTIALS; services ask Minos meanwhile"
        yield found("broker", f"cannot use JetStream: {in_words(error)}", advice, ok=False)
    except (DatabaseAway, asyncpg.PostgresError) as error:
        yield Finding(check="stream", ok=False, detail=f"nothing to hold it against: {in_words(error)}; bring the database back")
    finally:
        await client.close()  # also what the server refused: nats-py leaves it open


async def _database(url: str) -> Connection:
    """Raises DatabaseAway: what a network says of it would be taken for a word of NATS'."""
    try:
        return await connect(url, timeout=_DEADLINE_S)
    except AWAY as error:
        raise DatabaseAway(in_words(error)) from None


async def _stream(connection: Connection, client: "Client") -> tuple[Finding, int]:
    """Hold the end of the stream against the end of the log, whose epoch is given too. Where it stands still for seconds nobody publishes,
    or dares to."""
    (_, epoch) = await connection.fetchrow(SQL["log"], timeout=_DEADLINE_S) or (0, 1)
    end = await _end(client, epoch)
    (size, _) = await connection.fetchrow(SQL["log"], timeout=_DEADLINE_S) or (0, 1)  # again: events come in meanwhile
    if end > size:
        detail = f"it ends at {end}, the log at {size}: nothing is sent until that is clear"
        return Finding(check="stream", ok=False, detail=detail), epoch
    behind = await connection.fetchval(SQL["behind"], end, timeout=_DEADLINE_S)
    detail = f"{behind:.1f} s behind the log" + ("" if behind <= FURTHEST_BEHIND_S else ": do workers run, has the publisher halted?")
    return Finding(check="stream", ok=behind <= FURTHEST_BEHIND_S, detail=detail), epoch


async def _end(client: "Client", epoch: int) -> int:
    """The last position in the stream; 0 where there is none yet."""
    from nats.js.errors import NotFoundError

    from adapters.event_stream import EventStream

    try:
        found = await client.jetstream().stream_info(EventStream(client, epoch=epoch).name)  # pyright: ignore[reportUnknownMemberType] - as above
    except NotFoundError:
        return 0
    return found.state.last_seq


async def _keep_quiet(_: Exception) -> None:
    """What the client would print is what the finding says."""
