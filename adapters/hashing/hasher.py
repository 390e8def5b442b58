"""The port of password hashes: who may have one now, and what a comparison with a stored one means."""

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from uuid import UUID

import msgspec

from adapters.hashing import pricing, stored, wire
from adapters.hashing.argon2id import Argon2id
from adapters.hashing.link import Cost, HashingEnded, HashingLink
from adapters.hashing.queue import HashMetrics, HashQueue
from adapters.hashing.refusals import RefusalFloor
from commands.ports import Strength, Unusable, Verified

MOST_WORDS, LONGEST_WORD = 24, 64
"""Of what a strength is estimated with besides the password."""


class Argon2Hasher:
    """commands.ports.PasswordHasher, by a process of its own with `threads` threads (default: one a core)."""

    def __init__(
        self,
        *,
        memory_kib: int = 19_456,
        passes: int = 2,
        threads: int | None = None,
        queue_limit: int | None = None,
        metrics: HashMetrics | None = None,
    ) -> None:
        threads = threads or cores()
        self._argon2id = Argon2id(memory_kib=memory_kib, passes=passes)
        self._nobodys = self._argon2id.nobodys()
        self._floor = RefusalFloor()
        self._link = HashingLink(Cost(memory_kib, passes, threads))
        self._queue = HashQueue(threads, limit=queue_limit, metrics=metrics)

    @property
    def pid(self) -> int | None:
        """Of the hashing process, once there is one."""
        return self._link.pid

    async def start(self) -> None:
        """Start the process before somebody waits for it, and see it begin. Raises HashingEnded when it cannot."""
        await self._link.start()

    def require_room(self, *, network: str | None = None) -> None:
        self._queue.require_room(network=network)

    async def hash(self, password: str, *, network: str | None = None) -> str:
        encoded, _ = await self._timed("", password, account=None, network=network)
        return encoded.decode()

    async def verify(
        self, encoded: str | None, password: str, *, account: UUID | None = None, network: str | None = None, alike: bool = False
    ) -> Verified:
        """Compare with a stored hash. One that cannot or may not be computed matches nothing, at the usual cost."""
        usable = encoded if encoded is not None and self.unusable(encoded) is None else None
        outcome, took = await self._timed(usable or self._nobodys, password, account=account, network=network)
        outdated = usable is not None and self._outdated(usable)
        self._floor.note(took, usual=not outdated)
        if usable is not None and outcome == wire.MATCHES:
            return Verified(matches=True, outdated=outdated)
        if alike and (left := self._floor.left(took)):
            await asyncio.sleep(left)
        return Verified(matches=False, outdated=False)

    def unusable(self, encoded: str) -> Unusable | None:
        return pricing.unusable(encoded)

    async def strength(self, password: str, *, context: Sequence[str] = (), network: str | None = None) -> Strength:
        """Estimate how hard it is to guess, in the same queue: on some texts that takes as long as a hash."""
        words = "\n".join(" ".join(word.split())[:LONGEST_WORD] for word in context[:MOST_WORDS])
        outcome, _ = await self._timed(words, password, asked=wire.Asked.STRENGTH, account=None, network=network)
        return msgspec.json.decode(outcome, type=Strength)

    def close(self) -> None:
        """End the process, and with it hashes under way; their owners have mostly gone."""
        self._link.close()

    def _outdated(self, encoded: str) -> bool:
        return not stored.is_argon2id(encoded) or self._argon2id.outdated(encoded)

    async def _timed(
        self, about: str, password: str, *, account: UUID | None, network: str | None, asked: wire.Asked = wire.Asked.HASH
    ) -> tuple[bytes, float]:
        """Give the answer and how many seconds it took, the wait for a thread not counted."""
        await self._queue.enter(account=account, network=network)
        # A caller who went away does not stop the hash: its place is free when the thread is, not before.
        return await asyncio.shield(asyncio.create_task(self._in_place(about, password, asked)))

    async def _in_place(self, about: str, password: str, asked: wire.Asked) -> tuple[bytes, float]:
        began = time.monotonic()
        try:
            outcome = await self._link.ask(about, password, asked)
        except HashingEnded:
            raise self._queue.leave_undone() from None
        took = time.monotonic() - began
        self._queue.leave(took)
        return outcome, took


def cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
