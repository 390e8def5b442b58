"""Every service is a small witness: once a minute it sees that the issuer's log goes on from where it was, and keeps the evidence if not.

    async with LogWatch("https://auth.example", key, verifier=verifier, file=Path("log.checkpoint"), on_fork=tell_somebody):
        ...

The key is pinned: the line that `minos audit key` prints, got from whoever runs Minos and not from its server. Tokens are verified as
before, whatever is found; what follows from a fork is `on_fork`'s to decide.
"""

import asyncio
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import httpx

from minos_sdk import given
from minos_sdk.audit.checkpoints import Checkpoint
from minos_sdk.audit.comparing import Comparer, Fork, ForkKind, Seen
from minos_sdk.audit.notes import LogKey
from minos_sdk.audit.remembering import NotRemembered, leave_evidence, remember, remembered
from minos_sdk.drivers import AsyncDriver, SyncDriver
from minos_sdk.steps import Retries
from minos_sdk.verifier import Verifier

__all__ = ["Fork", "ForkKind", "LogWatch", "NotRemembered", "SyncLogWatch"]

log = logging.getLogger("minos_sdk")
OnFork = Callable[[Fork], None]
_RETRIES = Retries(times=2)
_SPREAD = 0.1
"""Many services that were started together do not go on asking together."""


class _Watching:
    """What both have in common: everything but who waits."""

    def __init__(self, key: str | LogKey, on_fork: OnFork, file: Path | None, every: float) -> None:
        given.function("on_fork", on_fork)
        given.number("every", every, least=1)
        self._key = key if isinstance(key, LogKey) else LogKey.parse(key)
        self._file = None if file is None else Path(file)
        self._comparer = Comparer(self._key, None if self._file is None else remembered(self._file, self._key), _RETRIES)
        self._on_fork, self._every = on_fork, every
        self._told = 0
        self._looked_at: float | None = None

    @property
    def last_seen(self) -> Checkpoint | None:
        """The largest checkpoint that continues all those before it."""
        seen = self._comparer.last_seen
        return None if seen is None else seen.checkpoint

    @property
    def forks(self) -> Sequence[Fork]:
        """Whatever contradicted it; empty while there is one history."""
        return tuple(self._comparer.forks)

    @property
    def looked_at(self) -> float | None:
        """Seconds since 1970 when the log was last found to go on, or to contradict itself; None before. One that gives no proofs makes it
        old."""
        return self._looked_at

    @property
    def counts(self) -> Mapping[str, int]:
        """For metrics: looks, grown, same, older; unanswered, refused, unsigned, other_log; forked, shrunk, unproved."""
        return dict(self._comparer.counts)

    def _pause(self) -> float:
        return self._every * random.uniform(1 - _SPREAD, 1 + _SPREAD)  # noqa: S311 - chance for spreading, no secret

    def _looked(self, before: Seen | None, *, whole: bool) -> None:
        """Keep what is new of it. Blocks for the disk."""
        if whole:
            self._looked_at = time.time()
        seen = self._comparer.last_seen
        if self._file is None:
            return
        try:
            if seen is not None and seen is not before:
                remember(self._file, seen)
            for fork in self._comparer.forks[self._told :]:
                leave_evidence(self._file, fork)
        except OSError as error:
            log.error("what was seen of the log cannot be kept: %s", error)  # noqa: TRY400 - its words are all there is to say

    def _tell(self) -> None:
        """Say what is new of it, each once."""
        while self._told < len(self._comparer.forks):
            fork = self._comparer.forks[self._told]
            self._told += 1
            log.error("the log %s contradicts itself: %s", self._key.name, fork.kind.value)
            try:
                self._on_fork(fork)
            except Exception:  # a callback of the service's own must not end the watch
                log.exception("a callback on a fork of the log failed")


class LogWatch(_Watching):
    """For one event loop. With a `verifier`, what its heartbeats tell is compared as well: it came another way.

    `file` keeps the newest checkpoint over a restart, and evidence beside it. `on_fork` is called in the loop, once for each pair of
    checkpoints. Raises NotAKey, NotRemembered, ValueError, TypeError.
    """

    def __init__(
        self,
        issuer: str,
        key: str | LogKey,
        *,
        on_fork: OnFork,
        verifier: Verifier | None = None,
        file: Path | None = None,
        every: float = 60.0,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        super().__init__(key, on_fork, file, every)
        self._driver = AsyncDriver(issuer, http, rarely=True)
        self._verifier = verifier
        self._one = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="minos log watch")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def look(self) -> bool:
        """Look once, now. Gives whether everything that was told could be compared."""
        async with self._one:  # two at once could keep what each proved to continue the same, and not one another
            before = self._comparer.last_seen
            told = self._verifier.receiver.checkpoint if self._verifier is not None else None
            whole = await self._driver.run(self._comparer.look([] if told is None else [told]))
            await asyncio.to_thread(self._looked, before, whole=whole)
            self._tell()
            return whole

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        await self._driver.close()

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except Exception:  # a loop's edge: the next look begins with what is known
                log.exception("looking at the log failed")
            await asyncio.sleep(self._pause())


class SyncLogWatch(_Watching):
    """As LogWatch, for code without a loop: a thread of its own looks. `on_fork` is called in that thread."""

    def __init__(
        self,
        issuer: str,
        key: str | LogKey,
        *,
        on_fork: OnFork,
        file: Path | None = None,
        every: float = 60.0,
        http: httpx.Client | None = None,
    ) -> None:
        super().__init__(key, on_fork, file, every)
        self._driver = SyncDriver(issuer, http, rarely=True)
        self._over = threading.Event()
        self._one = threading.Lock()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._over.clear()
        self._thread = threading.Thread(target=self._run, name="minos log watch", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def look(self) -> bool:
        """Look once, now. Gives whether everything that was told could be compared."""
        with self._one:
            before = self._comparer.last_seen
            whole = self._driver.run(self._comparer.look(()))
            self._looked(before, whole=whole)
            self._tell()
            return whole

    def close(self) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._driver.close()

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self.look()
            except Exception:  # a loop's edge: the next look begins with what is known
                log.exception("looking at the log failed")
            self._over.wait(self._pause())
