"""Tiny messages over core NATS that tell workers in other processes to look now instead of at their next turn.

They carry nothing and are never waited for: a lost one costs the pause until the worker looks by itself.
"""

import asyncio
from collections.abc import Callable

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
        self._pending: asyncio.Task[None] | None = None
        self._wanted = False

    def send(self) -> None:
        """Tell the others, now or together with hints that follow at once. Call it on the event loop."""
        self._wanted = True
        if self._pending is None or self._pending.done():
            self._pending = asyncio.get_running_loop().create_task(self._send())

    async def close(self) -> None:
        """Let a hint under way finish."""
        if self._pending is not None:
            await asyncio.wait({self._pending}, timeout=1.0)

    async def _send(self) -> None:
        while self._wanted and self._client.is_connected:
            self._wanted = False
            try:
                await self._client.publish(self._subject)
            except NatsError:
                return
            await asyncio.sleep(QUIET_SECONDS)


async def listen(client: Client, subject: str, wake: Callable[[], None]) -> None:
    """Call `wake` for each hint, over reconnects, until the client is closed."""

    async def on_hint(_: Msg) -> None:
        wake()

    await client.subscribe(subject, cb=on_hint)  # pyright: ignore[reportUnknownMemberType] - nats-py leaves the result of its future untyped
