"""One NATS connection for a process, made in the background and made again for ever."""

import asyncio
from contextlib import suppress
from math import inf
from pathlib import Path
from time import monotonic

import nats.errors
import structlog
from nats.aio.client import Client

from adapters.nats_credentials import BadCredentials, proof
from adapters.server_urls import each

CONNECT_SECONDS = 2
CLOSE_SECONDS = 1
SETTLE_SECONDS = 10
RETRY_SECONDS = 0.25
PING_SECONDS = 2
"""A server that is cut off says nothing: after two of these without an answer another one is tried."""
LONGEST_RETRY_SECONDS = 2.0
QUIET_SECONDS = 30.0
"""An error that goes on is said this rarely until the connection is back: while NATS is away each try has one."""

log = structlog.stdlib.get_logger()


class NatsConnection:
    """Use `client` at once: it is not connected until NATS is there, and again after every loss of it."""

    def __init__(self, url: str, *, credentials: Path | None = None, name: str = "minos", retry_s: float = RETRY_SECONDS) -> None:
        """`retry_s`: the pause between tries, at first, and always once it was connected."""
        self.client = Client()
        self._retry_s = retry_s
        self._servers = list(each(url))
        self._credentials = credentials
        self._name = name
        self._closing = False
        self._said_at: dict[str, float] = {}

    def __repr__(self) -> str:
        return f"NatsConnection({self._name})"

    async def connect(self) -> None:
        """Return when first connected, however long that takes; later losses are made good by themselves. Cancel it to give up."""
        pause = self._retry_s
        while True:
            try:
                await self._connect_once()
            except (nats.errors.Error, BadCredentials, OSError, TimeoutError) as error:  # the file may be about to be replaced
                log.warning("nats_is_away", error_type=type(error).__name__, delay_s=pause)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_RETRY_SECONDS)
            else:
                return

    async def close(self) -> None:
        """Send what is still to be sent, for at most a second, and disconnect; from a server that takes nothing in, without it."""
        self._closing = True
        closing = asyncio.create_task(self._flush_and_close(), name="closing NATS")
        await asyncio.wait({closing}, timeout=2 * CLOSE_SECONDS)
        closing.cancel()  # and not awaited: the client passes over being cancelled while it sends

    async def _flush_and_close(self) -> None:
        with suppress(nats.errors.Error, OSError, TimeoutError):  # what must arrive is never sent without awaiting its answer
            if self.client.is_connected:
                await self.client.flush(timeout=CLOSE_SECONDS)
        with suppress(nats.errors.Error, OSError):
            await self.client.close()

    async def _connect_once(self) -> None:
        await self.client.connect(
            self._servers,
            name=self._name,
            connect_timeout=CONNECT_SECONDS,
            allow_reconnect=True,
            max_reconnect_attempts=-1,
            ping_interval=PING_SECONDS,
            max_outstanding_pings=1,
            reconnect_time_wait=self._retry_s,  # type: ignore[arg-type]  # seconds, slept as they are: fractions are fine
            no_echo=True,
            error_cb=self._on_error,
            disconnected_cb=self._on_loss,
            reconnected_cb=self._on_return,
            **proof(self._credentials),
        )

    async def _on_loss(self) -> None:
        if not self._closing:
            log.warning("nats_connection_lost")

    async def _on_error(self, error: Exception) -> None:
        kind, now = type(error).__name__, monotonic()
        if now - self._said_at.get(kind, -inf) >= QUIET_SECONDS:
            self._said_at[kind] = now
            log.warning("nats_error", error_type=kind)

    async def _on_return(self) -> None:
        self._said_at.clear()
        log.info("nats_connection_back")


async def settled(client: Client) -> None:
    """Return when the server has done all that this connection asked of it before, subscribing above all. Raises TimeoutError.

    The client's own `flush` overtakes what still waits to be sent: its question goes out at once.
    """
    async with asyncio.timeout(SETTLE_SECONDS):
        while client.pending_data_size:
            await asyncio.sleep(0.001)
        await client.flush(SETTLE_SECONDS)
