"""Minos itself, beside a feed of somebody else's: for where that has nothing to say, or could leave something out."""

import asyncio
import logging
from random import SystemRandom

from minos_sdk.call_errors import CallRefused
from minos_sdk.feeds.snapshots import UNANSWERED, Snapshots
from minos_sdk.progress import oldest
from minos_sdk.receiver import Receiver
from minos_sdk.trouble import words

log = logging.getLogger("minos_sdk")
_SILENT_S = 2.0
"""After so long without a heartbeat Minos is asked: a third one is missed, and what is known counts as fresh for another second."""
_AWAY_S = 0.5
_REFUSED_S = 60.0
"""Until who got no answer, or may not ask, asks again."""
_MAY_NOT = frozenset({400, 401, 403})
"""What Minos answers who has no such audience, or may not hear signals."""
_chance = SystemRandom()


class MinosItself:
    """`is_refused`: this service may not ask, so it has to do without. Nobody is refused by a Minos that is busy or away."""

    def __init__(self, receiver: Receiver, snapshots: Snapshots) -> None:
        self.is_refused = False
        self._receiver = receiver
        self._snapshots = snapshots
        self._one = asyncio.Lock()
        self._asked_at = float("-inf")

    async def tell(self) -> bool:
        """Bring the receiver to all that is committed by now. Those who want it at once ask once. False for an answer of before, too."""
        wanted_at = self._receiver.monotonic()
        async with self._one:
            return self._asked_at > wanted_at or await self._ask()

    async def _ask(self) -> bool:
        asked_at = self._receiver.monotonic()
        try:
            told = await self._snapshots.ask()
        except UNANSWERED as error:
            if isinstance(error, CallRefused) and error.status in _MAY_NOT:
                if not self.is_refused:
                    log.warning("Minos itself cannot be asked for signals, which makes up for what NATS loses: %s", error)
                self.is_refused = True
            else:
                log.info("Minos itself was asked for signals: %s", words(error))
            return False
        self.is_refused = False
        if not told or oldest(self._receiver.classes.values()) < asked_at:
            return False
        self._asked_at = asked_at
        self._receiver.counts["asked_minos"] += 1
        return True

    async def run(self) -> None:
        """Ask at the start, and then wherever heartbeats fail to come, until cancelled."""
        while True:
            pause = _SILENT_S - self._receiver.freshness.age
            if pause <= 0:
                pause = _SILENT_S if await self.tell() else _REFUSED_S if self.is_refused else _AWAY_S
            await asyncio.sleep(max(pause, _AWAY_S) * _chance.uniform(0.8, 1.0))
