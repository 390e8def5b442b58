"""Argon2id (RFC 9106) on threads of its own that give way to everything else on the machine."""

import asyncio
import ctypes
import os
import secrets
import sys
import threading
import time
import unicodedata
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

import argon2
from argon2.exceptions import Argon2Error, InvalidHashError

from adapters.hash_queue import HashMetrics, HashQueue
from commands.ports import Verified

T = TypeVar("T")

IDLE_S = 1.0
"""After so long without a hash its memory goes back to the machine. Before, each thread keeps it for the next one: getting
19 MiB of fresh pages costs a third of a hash."""
NICENESS = 15
"""Of the hashing threads: low enough for token checks to go first, high enough for sign-ins to go on beside a flood of them."""
MOST_MEMORY_KIB = 262_144
MOST_PASSES = 16
MOST_LANES = 8
"""A stored hash that asks for more is not computed: an imported one could otherwise stop the service (threats.md 20)."""


class Argon2Hasher:
    """commands.ports.PasswordHasher. Passwords are compared in NFKC, in UTF-8, whole however long."""

    def __init__(
        self,
        *,
        memory_kib: int = 19_456,
        passes: int = 2,
        threads: int | None = None,
        queue_limit: int | None = None,
        metrics: HashMetrics | None = None,
    ) -> None:
        self._argon2 = argon2.PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1, hash_len=32, salt_len=16)
        self._nobodys = self._argon2.hash(secrets.token_bytes(32))
        threads = threads or cores()
        self._pool = ThreadPoolExecutor(threads, "hashing", _give_way)
        self._queue = HashQueue(threads, limit=queue_limit, metrics=metrics)
        self._last_ended = 0.0
        self._returning: asyncio.TimerHandle | None = None

    def require_room(self, *, network: str | None = None) -> None:
        self._queue.require_room(network=network)

    async def hash(self, password: str, *, network: str | None = None) -> str:
        return await self._run(lambda: self._argon2.hash(_normal(password)), known_device=False, network=network)

    async def verify(self, encoded: str | None, password: str, *, known_device: bool = False, network: str | None = None) -> Verified:
        """Compare with a stored hash. One that cannot or may not be computed matches nothing, at the usual cost."""
        affordable = _affordable(self._nobodys if encoded is None else encoded)
        if encoded is None or not affordable:
            await self._run(lambda: self._matches(self._nobodys, password), known_device=known_device, network=network)
            return Verified(matches=False, outdated=False)
        matches = await self._run(lambda: self._matches(encoded, password), known_device=known_device, network=network)
        return Verified(matches=matches, outdated=matches and self._argon2.check_needs_rehash(encoded))

    def close(self) -> None:
        """Wait for hashes under way; their owners have mostly gone."""
        if self._returning is not None:
            self._returning.cancel()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _matches(self, encoded: str, password: str) -> bool:
        try:
            return self._argon2.verify(encoded, _normal(password))
        except Argon2Error:
            return False

    async def _run(self, work: Callable[[], T], *, known_device: bool, network: str | None) -> T:
        await self._queue.enter(known_device=known_device, network=network)
        loop = asyncio.get_running_loop()
        began = time.monotonic()

        def over(_: "Future[T]") -> None:
            # A caller who went away does not stop the thread: its place is free when the thread is, not before.
            with suppress(RuntimeError):  # the loop is closed, nobody waits any more
                loop.call_soon_threadsafe(self._over, loop, time.monotonic() - began)

        future = self._pool.submit(work)
        future.add_done_callback(over)
        return await asyncio.wrap_future(future)

    def _over(self, loop: asyncio.AbstractEventLoop, took: float) -> None:
        self._last_ended = loop.time()
        self._queue.leave(took)
        if self._returning is None:
            self._returning = loop.call_later(IDLE_S, self._return_memory, loop)

    def _return_memory(self, loop: asyncio.AbstractEventLoop) -> None:
        """Give memory back once no hash has ended for IDLE_S; until then look again."""
        idle = loop.time() - self._last_ended
        if idle < IDLE_S:
            self._returning = loop.call_later(IDLE_S - idle, self._return_memory, loop)
            return
        self._returning = None
        with suppress(RuntimeError):  # closed meanwhile
            self._pool.submit(_trim)


def cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _normal(password: str) -> bytes:
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def _affordable(encoded: str) -> bool:
    try:
        asked = argon2.extract_parameters(encoded)
    except InvalidHashError:
        return False
    return asked.memory_cost <= MOST_MEMORY_KIB and asked.time_cost <= MOST_PASSES and asked.parallelism <= MOST_LANES


def _trim() -> None:
    """Hand what malloc keeps free back to the machine. glibc only (malloc_trim(3)); others keep it or do so by themselves."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


def _give_way() -> None:
    """Have the scheduler prefer the event loop and Postgres to this thread. Linux schedules threads one by one."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
