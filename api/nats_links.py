"""What the API has NATS for, each for as long as a block runs; without NATS each is nothing, and nobody waits for any of it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

import asyncpg
import structlog
from nats.aio.client import Client

from adapters.hints import APPENDED, ERASED, Hints, listen
from adapters.nats_callout import Callout
from adapters.nats_client import NatsConnection
from adapters.ports import Opened
from adapters.settings import Settings
from adapters.signal_sets import SignalSigner
from api.callout import Answering, Door
from api.signal_hints import SignalHints
from domain.ids import AudienceName
from projections import audiences
from projections.reading import ReadModels

CONNECTED_LOOK_SECONDS = 0.2
CALLOUT_RETRY_SECONDS = 0.05
"""After a loss of NATS services come back at once, and those who come before us wait in vain."""
MOST_AUDIENCES = 1_500
"""Whose role signals a service with a pattern of permissions can read at NATS: what it may do there has to fit into one message of 1 MB,
also with the longest names."""
READ_AT_ONCE = 256

log = structlog.stdlib.get_logger()


@asynccontextmanager
async def connected(settings: Settings) -> AsyncGenerator[Client | None]:
    """A connection to NATS where there is one, made in the background: what is told over it nobody waits for."""
    if settings.nats_url is None:
        yield None
        return
    nats = NatsConnection(settings.nats_url.reveal(), credentials=settings.nats_credentials, name="minos-api")
    connecting = asyncio.create_task(nats.connect(), name="nats")
    try:
        yield nats.client
    finally:
        await ended(connecting)
        await nats.close()


@asynccontextmanager
async def waking_workers(nats: Client | None) -> AsyncGenerator[Hints | None]:
    """Wake the workers over NATS where there is one; without it they look by themselves."""
    if nats is None:
        yield None
        return
    hints = Hints(nats, APPENDED)
    try:
        yield hints
    finally:
        await hints.close()


@asynccontextmanager
async def forgetting_keys(nats: Client | None, forget: Callable[[], None]) -> AsyncGenerator[None]:
    """Forget keys at once when somebody was erased, where there is NATS; without it they are remembered for a minute at most."""
    if nats is None:
        yield
        return

    async def begin() -> None:
        while not nats.is_connected:
            await asyncio.sleep(CONNECTED_LOOK_SECONDS)
        await listen(nats, ERASED, forget)

    beginning = asyncio.create_task(begin(), name="erased")
    try:
        yield
    finally:
        await ended(beginning)


@asynccontextmanager
async def telling_services(
    settings: Settings, nats: Client | None, opened: Opened, pool: "asyncpg.Pool[asyncpg.Record]"
) -> AsyncGenerator[SignalHints | None]:
    """Tell services over NATS what was committed, where there is one; without it they hear of it the durable way."""
    if nats is None:
        yield None
        return
    signals = SignalHints(nats, SignalSigner(opened.signals_keyring, settings.issuer), pool)
    running = asyncio.create_task(signals.run(), name="signal hints")
    try:
        yield signals
    finally:
        await ended(running)
        await signals.close()


@asynccontextmanager
async def answering_servers(settings: Settings, opened: Opened, models: ReadModels) -> AsyncGenerator[None]:
    """Tell NATS who its connections are, where it asks; over a connection that nothing else waits on."""
    issuer, xkey = settings.nats_callout_issuer, settings.nats_callout_xkey
    if settings.nats_url is None or issuer is None or xkey is None:
        yield
        return

    async def begin() -> None:
        await nats.connect()
        await answering.begin()

    nats = NatsConnection(
        settings.nats_url.reveal(), credentials=settings.nats_credentials, name="minos-callout", retry_s=CALLOUT_RETRY_SECONDS
    )
    answering = Answering(nats.client, Door(Callout(issuer, xkey), opened.tokens, opened.ports, lambda: every_audience(models)))
    beginning = asyncio.create_task(begin(), name="callout")
    try:
        yield
    finally:
        await ended(beginning)
        await answering.close()
        await nats.close()


async def every_audience(models: ReadModels) -> list[AudienceName]:
    """Give the names of all audiences, as many as fit."""
    names: list[AudienceName] = []
    after: AudienceName | None = None
    while len(names) < MOST_AUDIENCES:
        page = await audiences.page(models, retired=False, after=after, limit=min(READ_AT_ONCE, MOST_AUDIENCES - len(names)))
        names += [row.audience for row in page.rows]
        after = page.next_after
        if after is None:
            return names
    log.warning("nats_audiences_left_out", audience=after)
    return names


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
