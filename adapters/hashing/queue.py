"""Who waits for a hashing thread, and who is turned away (threats.md 20). All on one event loop; no locks."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from domain.errors import Overloaded

QUEUE_PER_THREAD = 32
"""About a second of work for one core at the default cost."""
ACCOUNT_PLACES = 2
"""Waiting, for one account that is known: the part that is kept for known devices is for all of them."""
STALE_S = 3.0


class HashRefusal(StrEnum):
    FULL = "full"
    NETWORK = "network"
    """The caller's network holds its eighth."""
    STALE = "stale"
    DISPLACED = "displaced"
    """Somebody known of the same network took the place."""
    ENDED = "ended"
    """The hashing process ended, or could not begin."""


class HashMetrics(Protocol):
    """Called on the event loop, so quick; must not raise. Times in seconds."""

    def queued(self, depth: int) -> None: ...
    def started(self, waited: float) -> None: ...
    def finished(self, took: float) -> None: ...
    def refused(self, why: HashRefusal) -> None: ...


class NoHashMetrics:
    def queued(self, depth: int) -> None:
        pass

    def started(self, waited: float) -> None:
        pass

    def finished(self, took: float) -> None:
        pass

    def refused(self, why: HashRefusal) -> None:
        pass


@dataclass(eq=False, slots=True)
class _Waiter:
    turn: "asyncio.Future[None]"
    account: UUID | None
    network: str | None


class HashQueue:
    """Lets at most `threads` in at a time, in order of arrival, and keeps at most `limit` waiting.

    `account` is whose device or token the caller has shown: such callers are known, others are strangers. A third of the
    places is kept for the known, ACCOUNT_PLACES for one account: what it wants besides waits as a stranger. One network
    holds at most an eighth; the known who find their network's places taken by strangers take the place of the last of
    them. Who has waited STALE_S goes away.
    """

    def __init__(
        self,
        threads: int,
        *,
        limit: int | None = None,
        stale: float = STALE_S,
        metrics: HashMetrics | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._free = self._threads = threads
        self._limit = QUEUE_PER_THREAD * threads if limit is None else limit
        self._strangers_limit = self._limit - math.ceil(self._limit / 3)
        self._network_limit = max(1, self._limit // 8)
        self._stale = stale
        self._metrics: HashMetrics = NoHashMetrics() if metrics is None else metrics
        self._clock = clock
        self._waiting: deque[_Waiter] = deque()
        self._typical = 0.03
        """Seconds of one hash, a moving average: what Retry-After is reckoned with."""

    @property
    def depth(self) -> int:
        return len(self._waiting)

    async def enter(self, *, account: UUID | None, network: str | None) -> None:
        """Return when a thread is free; `leave` gives it back. Raises Overloaded, at once or after STALE_S."""
        arrived = self._clock()
        if account is not None and sum(w.account == account for w in self._waiting) >= ACCOUNT_PLACES:
            account = None
        if self._free and not self._waiting:
            self._free -= 1
            self._metrics.started(0.0)
            return
        self._make_room(account=account, network=network)
        waiter = _Waiter(asyncio.get_running_loop().create_future(), account, network)
        self._waiting.append(waiter)
        self._metrics.queued(len(self._waiting))
        try:
            async with asyncio.timeout(self._stale):
                await waiter.turn
        except TimeoutError:
            self._give_up(waiter)
            raise self._refusal(HashRefusal.STALE) from None
        except BaseException:
            self._give_up(waiter)
            raise
        self._metrics.started(self._clock() - arrived)

    def require_room(self, *, network: str | None) -> None:
        """Raise Overloaded where a stranger of this network would find no place now. Takes none."""
        if self._waiting or not self._free:
            self._require_place(account=None, network=network)

    def leave(self, took: float) -> None:
        """Give the thread to the next in line. `took` is how many seconds the work lasted."""
        self._metrics.finished(took)
        self._typical += (took - self._typical) / 16
        self._free += 1
        self._admit_next()

    def leave_undone(self) -> Overloaded:
        """Give the thread to the next in line, and what to raise for who got nothing done."""
        self._free += 1
        self._admit_next()
        return self._refusal(HashRefusal.ENDED)

    def _admit_next(self) -> None:
        while self._free and self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.turn.done():
                self._free -= 1
                waiter.turn.set_result(None)
        self._metrics.queued(len(self._waiting))

    def _make_room(self, *, account: UUID | None, network: str | None) -> None:
        """Raises Overloaded unless there is, or can be made, a place for one more of this kind."""
        stranger = self._require_place(account=account, network=network)
        if stranger is not None:
            self._waiting.remove(stranger)
            if not stranger.turn.done():
                stranger.turn.set_exception(self._refusal(HashRefusal.DISPLACED))

    def _require_place(self, *, account: UUID | None, network: str | None) -> _Waiter | None:
        """Give the stranger whose place one who is known may take, None where there is a free one. Raises Overloaded."""
        if len(self._waiting) >= self._limit:
            raise self._refusal(HashRefusal.FULL)
        if account is None and sum(w.account is None for w in self._waiting) >= self._strangers_limit:
            raise self._refusal(HashRefusal.FULL)
        if network is None or sum(w.network == network for w in self._waiting) < self._network_limit:
            return None
        stranger = next((w for w in reversed(self._waiting) if w.network == network and w.account is None), None)
        if stranger is None or account is None:
            raise self._refusal(HashRefusal.NETWORK)
        return stranger

    def _give_up(self, waiter: _Waiter) -> None:
        """Take somebody out of line; a turn that came in the same moment goes to the next."""
        if waiter in self._waiting:
            self._waiting.remove(waiter)
            self._metrics.queued(len(self._waiting))
        elif waiter.turn.done() and not waiter.turn.cancelled() and waiter.turn.exception() is None:
            self._free += 1
            self._admit_next()

    def _refusal(self, why: HashRefusal) -> Overloaded:
        self._metrics.refused(why)
        return Overloaded(max(1, math.ceil(len(self._waiting) * self._typical / self._threads)))
