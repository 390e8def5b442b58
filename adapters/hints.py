"""Tiny messages over core NATS that tell workers in other processes to look now instead of at their next turn.

They carry nothing and are never waited for: a lost one costs the pause until the worker looks by itself.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

APPENDED = "minos.hint.appended"
"""Something was committed: the sequencer has work."""
SEQUENCED = "minos.hint.sequenced"
"""Positions were given: publisher and projector have work."""

QUIET_SECONDS = 0.002
"""Hints closer together than this become one."""


class Hints:
    """Sends one kind of hint. `send` never waits, never raises, and does nothing while NATS is away."""

    def __init__(self, client: Client, subject: str) -> None:
        self._client = client
        self._subject = subject
        self._sending: asyncio.Task[None] | None = None
        self._later: asyncio.TimerHandle | None = None
        self._not_before = 0.0

    def send(self) -> None:
        """Tell the others: now, or where that was done only just, together with what else comes until it may be done again."""
        if self._later is not None:
            return
        loop = asyncio.get_running_loop()
        if loop.time() < self._not_before:
            self._later = loop.call_at(self._not_before, self._send_now)
        else:
            self._send_now()

    async def close(self) -> None:
        """Let a hint under way finish; one that would come later is dropped."""
        if self._later is not None:
            self._later.cancel()
        if self._sending is not None:
            await asyncio.wait({self._sending}, timeout=1.0)

    def _send_now(self) -> None:
        loop = asyncio.get_running_loop()
        self._later = None
        self._not_before = loop.time() + QUIET_SECONDS
        if self._sending is not None and not self._sending.done():
            self._later = loop.call_at(self._not_before, self._send_now)
        elif self._client.is_connected:
            self._sending = loop.create_task(self._publish())

    async def _publish(self) -> None:
        with suppress(NatsError):
            await self._client.publish(self._subject)


async def listen(client: Client, subject: str, wake: Callable[[], None]) -> None:
    """Call `wake` for each hint, over reconnects, until the client is closed."""

    async def on_hint(_: Msg) -> None:
        wake()

    await client.subscribe(subject, cb=on_hint)  # pyright: ignore[reportUnknownMemberType] - nats-py leaves the result of its future untyped
