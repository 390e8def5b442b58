"""Whose turn it is to have a document made."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Hashable
from contextlib import AsyncExitStack, asynccontextmanager
from weakref import WeakValueDictionary

from msgspec import Struct

from domain.errors import Overloaded, TooManyWaiting

MOST_WAITING = 64
"""Of one caller, which all processes of a service are."""
WAIT_SECONDS = 60.0
"""For a turn: nobody who asks waits for an answer any longer."""
RETRY_AFTER_SECONDS = 5


class Snapshot(Struct, frozen=True, kw_only=True):
    """Seconds of the loop's clock: it `began` to be made, has what was committed `as_of` then, and serves others `reused_until` then."""

    etag: str
    body: bytes
    began: float
    as_of: float
    reused_until: float


class Lane:
    """One document is made at a time, and those who want the same wait for it together. Callers take turns: however much one of them
    asks for, another waits for one of theirs."""

    def __init__(self) -> None:
        self._one = asyncio.Lock()
        self._of: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._waiting: Counter[str] = Counter()
        self._rest_until = 0.0
        self._kept: dict[Hashable, Snapshot] = {}

    @asynccontextmanager
    async def turn(self, caller: str, wanted: Hashable, serves: Callable[[Snapshot], bool]) -> AsyncGenerator["Turn"]:
        """Wait for a turn. Who makes something rests as long as that took, so whoever asks for ever other ones gets half of the time.

        Raises TooManyWaiting, Overloaded.
        """
        loop = asyncio.get_running_loop()
        async with AsyncExitStack() as held:
            if (kept := self._that_serves(wanted, serves)) is None:
                await self._wait(caller, held)
                kept = self._that_serves(wanted, serves)
            if kept is not None:
                yield Turn(self._kept, wanted, kept)
                return
            await asyncio.sleep(max(0.0, self._rest_until - loop.time()))
            began = loop.time()
            try:
                yield Turn(self._kept, wanted, None)
            finally:
                self._rest_until = 2 * loop.time() - began

    def _that_serves(self, wanted: Hashable, serves: Callable[[Snapshot], bool]) -> Snapshot | None:
        kept = self._kept.get(wanted)
        return kept if kept is not None and serves(kept) else None

    async def _wait(self, caller: str, held: AsyncExitStack) -> None:
        if self._waiting[caller] >= MOST_WAITING:
            raise TooManyWaiting
        self._waiting[caller] += 1
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await held.enter_async_context(self._of.setdefault(caller, asyncio.Lock()))
                await held.enter_async_context(self._one)
        except TimeoutError:
            raise Overloaded(RETRY_AFTER_SECONDS) from None
        finally:
            self._waiting[caller] -= 1
            if not self._waiting[caller]:
                del self._waiting[caller]


class Turn:
    """`made`: what somebody made who asked for the same; None where it has to be made."""

    def __init__(self, kept: dict[Hashable, Snapshot], wanted: Hashable, made: Snapshot | None) -> None:
        self._kept = kept
        self._wanted = wanted
        self.made = made

    def keep(self, made: Snapshot) -> Snapshot:
        """Have whoever asks for the same get this, for as long as it says: it may be large."""
        self._kept[self._wanted] = made
        asyncio.get_running_loop().call_at(made.reused_until, self._forget, made)
        return made

    def _forget(self, made: Snapshot) -> None:
        if self._kept.get(self._wanted) is made:
            del self._kept[self._wanted]
