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
ERASED = "minos.hint.erased"
"""Keys were destroyed: whoever remembers any forgets them."""

QUIET_SECONDS = 0.002
"""Hints closer together than this become one."""
GATHER_SECONDS = 0.1
GATHERED = 12
"""What is in no hurry is told so long after the last hint, or when there are so many: a look costs the workers the same whatever
it finds. After a quiet time it is told at once."""


class Hints:
    """Sends one kind of hint. Neither way of sending ever waits or raises, and both do nothing while NATS is away."""

    def __init__(self, client: Client, subject: str) -> None:
        self._client = client
        self._subject = subject
        self._sending: asyncio.Task[None] | None = None
        self._later: asyncio.TimerHandle | None = None
        self._later_at = 0.0
        self._sent_at = -GATHER_SECONDS
        self._gathered = 0

    def send(self) -> None:
        """Tell the others: now, or where that was done only just, together with what else comes until it may be done again."""
        again_at = self._sent_at + QUIET_SECONDS
        if asyncio.get_running_loop().time() < again_at:
            self._send_at(again_at)
        else:
            self._send_now()

    def gather(self) -> None:
        """Tell the others of something that is in no hurry: with the next hint of any kind, at the latest after GATHER_SECONDS."""
        self._gathered += 1
        due = self._sent_at + GATHER_SECONDS
        if self._gathered >= GATHERED or asyncio.get_running_loop().time() >= due:
            self.send()
        else:
            self._send_at(due)

    async def close(self) -> None:
        """Let a hint under way finish; one that would come later is dropped."""
        if self._later is not None:
            self._later.cancel()
        if self._sending is not None:
            await asyncio.wait({self._sending}, timeout=1.0)

    def _send_at(self, when: float) -> None:
        """Send then, unless that is to be done before anyway."""
        if self._later is not None:
            if self._later_at <= when:
                return
            self._later.cancel()
        self._later, self._later_at = asyncio.get_running_loop().call_at(when, self._send_now), when

    def _send_now(self) -> None:
        loop = asyncio.get_running_loop()
        if self._later is not None:
            self._later.cancel()
            self._later = None
        self._sent_at = loop.time()
        self._gathered = 0
        if self._sending is not None and not self._sending.done():
            self._send_at(self._sent_at + QUIET_SECONDS)
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
