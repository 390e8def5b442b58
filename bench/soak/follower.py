"""A subscriber of the event stream that keeps the position it has reached: it sees each event once, whatever NATS goes through."""

import asyncio
from contextlib import suppress
from uuid import UUID

import msgspec
import nats
import nats.errors
from nats.aio.client import Client
from nats.js.api import ConsumerConfig, DeliverPolicy

from adapters.nats_credentials import proof
from bench.running import Running

_PAUSE_S = 0.05
_SILENT_S = 2.0
"""Nothing for so long, and it asks anew: the consumer may have gone with the server's store."""
_STREAM = "MINOS_EVENTS"


class Follower:
    """`seen`: which event was at each position, from 1 on, when it was this follower's turn."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self.seen: list[UUID] = []

    async def run(self) -> None:
        while True:
            with suppress(OSError, nats.errors.Error, LookupError, TimeoutError):
                client = await nats.connect(  # pyright: ignore[reportUnknownMemberType] - nats-py leaves a parameter untyped
                    self._running.nats.url, **proof(self._running.nats.credentials), allow_reconnect=False, error_cb=_silent
                )
                try:
                    await self._follow(client)
                finally:
                    with suppress(OSError, nats.errors.Error):
                        await client.close()
            await asyncio.sleep(_PAUSE_S)

    async def _follow(self, client: Client) -> None:
        """Until the connection ends, or a message is not the next one: then from the position on, anew."""
        config = ConsumerConfig(deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=len(self.seen) + 1)
        stream = client.jetstream(timeout=2)  # pyright: ignore[reportUnknownMemberType] - nats-py leaves a parameter untyped
        subscription = await stream.subscribe("minos.events.>", stream=_STREAM, ordered_consumer=True, config=config)
        while True:
            message = await subscription.next_msg(timeout=_SILENT_S)
            if message.metadata.sequence.stream != len(self.seen) + 1:
                return
            self.seen.append(UUID(msgspec.json.decode(message.data)["event_id"]))


async def _silent(_: Exception) -> None:
    """What ends a connection is met where it is used."""
