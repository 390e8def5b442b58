"""An issuer's key set, fetched ahead of need: no request waits for it, and no token makes it be fetched again and again."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from minos_sdk.errors import KeysUnavailable
from minos_sdk.key_set import Key, UnfitKeySet, read_key_set
from minos_sdk.ports import Clock, SystemClock

LONGEST_STALE_S = 3_600.0
"""Keys are used so long while no newer ones can be had: no token of theirs lives longer."""
_SHORTEST_S, _USUAL_S, _LONGEST_S = 10.0, 300.0, 3_600.0
_FIRST_PAUSE_S, _LAST_PAUSE_S = 0.1, 5.0
_FIRST_BACK_OFF_S, _LAST_BACK_OFF_S = 1.0, 10.0
_MAX_AGE = re.compile(r"max-age=(\d{1,9})")


@dataclass(frozen=True, slots=True)
class Answer:
    body: bytes
    cache_control: str = ""


Fetch = Callable[[], Awaitable[Answer]]
"""Get the key set. Raises OSError or UnfitKeySet."""


class KeyCache:
    """minos_sdk.ports.KeySource over HTTP. For one event loop.

    A name keeps its key: a set that gives a known name to another key or algorithm is refused as a whole. What an issuer withdrew
    is gone with the next set; that it is withdrawn is told by signals besides, at once.
    """

    def __init__(self, fetch: Fetch, *, clock: Clock | None = None) -> None:
        self._fetch = fetch
        self._clock = clock or SystemClock()
        self._keys: Mapping[str, Key] = {}
        self._pinned: dict[str, Key] = {}
        self._fetched_at = float("-inf")
        self._due_at = float("-inf")
        self._refresh: asyncio.Task[bool] | None = None
        self._unknown_from = float("-inf")
        self._back_off = _FIRST_BACK_OFF_S
        self._callbacks: list[Callable[[], None]] = []
        self.refreshes = 0
        self.failures = 0

    def get(self, kid: str) -> Key | None:
        if self._clock.monotonic() - self._fetched_at > LONGEST_STALE_S:
            raise KeysUnavailable
        return self._keys.get(kid)

    async def find(self, kid: str) -> Key | None:
        """An unknown name is worth one look, which all that ask meanwhile share, and then none for a growing while."""
        if kid not in self._keys and (self._is_looking() or self._clock.monotonic() >= self._unknown_from):
            if not self._is_looking():
                self._unknown_from = self._clock.monotonic() + self._back_off
                self._back_off = min(2 * self._back_off, _LAST_BACK_OFF_S)
            await self._refreshed()
            if kid in self._keys:
                self._back_off = _FIRST_BACK_OFF_S
        return self.get(kid)

    async def run(self) -> None:
        """Fetch again before it is needed; while that fails, what is there is used on."""
        pause = _FIRST_PAUSE_S
        while True:
            wait = self._due_at - self._clock.monotonic()
            if wait > 0 or await self._refreshed():
                pause = _FIRST_PAUSE_S
                await asyncio.sleep(max(wait, 0.0))
            else:
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LAST_PAUSE_S)

    def on_change(self, callback: Callable[[], None]) -> None:
        self._callbacks.append(callback)

    async def _refreshed(self) -> bool:
        refresh = self._refresh
        if refresh is None or refresh.done():
            refresh = self._refresh = asyncio.create_task(self._look())
        return await asyncio.shield(refresh)

    def _is_looking(self) -> bool:
        return self._refresh is not None and not self._refresh.done()

    async def _look(self) -> bool:
        self.refreshes += 1
        at = self._clock.monotonic()
        try:
            answer = await self._fetch()
            keys = read_key_set(answer.body)
            self._refuse_other_keys(keys)
        except (OSError, UnfitKeySet):
            self.failures += 1
            return False
        self._fetched_at = at
        self._due_at = at + _lasts(answer.cache_control)
        if keys != self._keys:
            self._keys = keys
            self._pinned.update(keys)
            for callback in self._callbacks:
                callback()
        return True

    def _refuse_other_keys(self, keys: Mapping[str, Key]) -> None:
        if not keys:
            raise UnfitKeySet("a key set has no key that can be used")
        if any(self._pinned.get(kid, key) != key for kid, key in keys.items()):
            raise UnfitKeySet("a known name was given to another key")


class FixedKeys:
    """minos_sdk.ports.KeySource of a key set that is at hand."""

    def __init__(self, key_set: bytes) -> None:
        """Raises UnfitKeySet."""
        self._keys = read_key_set(key_set)
        self._callbacks: list[Callable[[], None]] = []

    def replace(self, key_set: bytes) -> None:
        """Raises UnfitKeySet."""
        self._keys = read_key_set(key_set)
        for callback in self._callbacks:
            callback()

    def get(self, kid: str) -> Key | None:
        return self._keys.get(kid)

    async def find(self, kid: str) -> Key | None:
        return self._keys.get(kid)

    async def run(self) -> None:
        await asyncio.Event().wait()

    def on_change(self, callback: Callable[[], None]) -> None:
        self._callbacks.append(callback)


def _lasts(cache_control: str) -> float:
    said = _MAX_AGE.search(cache_control)
    return min(max(float(said[1]) if said else _USUAL_S, _SHORTEST_S), _LONGEST_S)
