"""Something that ends, and is renewed ahead of its end, by one at a time however many ask."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from minos_sdk.call_errors import Unreachable
from minos_sdk.ports import monotonic

T = TypeVar("T")
_DUE_AT = 0.8
"""Of its life, after which it is renewed when somebody asks for it; what is left is for Minos to come back in."""
_AFTER_FAILURE_S = 1.0
"""How long what still lasts is not renewed after that failed."""


@dataclass(frozen=True, slots=True)
class Ending(Generic[T]):
    """A value, and when it ends and is to be renewed, on the monotonic clock: setting the time of day changes nothing."""

    value: T = field(repr=False)
    due_at: float
    ends_at: float


def within(value: T, seconds: float, *, asked_at: float) -> Ending[T]:
    """`asked_at`: when it was asked for, which is before its life began."""
    return Ending(value, asked_at + seconds * _DUE_AT, asked_at + seconds)


class AsyncHeld(Generic[T]):
    """For one event loop. `renew` is given what there was, or None, and raises Unreachable to leave it at that for now."""

    def __init__(self, renew: Callable[[Ending[T] | None], Awaitable[Ending[T]]]) -> None:
        self._renew = renew
        self._held: Ending[T] | None = None
        self._renewing: asyncio.Task[Ending[T]] | None = None
        self._not_before = 0.0

    @property
    def held(self) -> Ending[T] | None:
        return self._held

    def put(self, value: Ending[T] | None) -> None:
        """Hold this from now on, whatever is under way."""
        self._held = value
        self._renewing = None

    async def get(self) -> T:
        """Give it while it lasts; when it is due, somebody renews it while it goes on being given."""
        held, now = self._held, monotonic()
        if held is None or now >= held.ends_at:
            return (await self.renewed()).value
        if now >= max(held.due_at, self._not_before):
            _ = self._start()
        return held.value

    async def renewed(self, *, instead_of: T | None = None) -> Ending[T]:
        """Renew it, unless somebody else just did: then `instead_of` is not held any more.

        The renewal goes on where who asked for it is cancelled: its answer may be the only one that counts.
        """
        if instead_of is not None and self._held is not None and self._held.value is not instead_of:
            return self._held
        return await asyncio.shield(self._start())

    def _start(self) -> "asyncio.Task[Ending[T]]":
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renewal(self._held))
            self._renewing.add_done_callback(self._look_at)
        return self._renewing

    async def _renewal(self, held: Ending[T] | None) -> Ending[T]:
        new = await self._renew(held)
        if self._held is held:
            self._held = new
        return new

    def _look_at(self, task: "asyncio.Task[Ending[T]]") -> None:
        """Take note of a failure that nobody may be waiting for: whoever asks when it has ended finds out."""
        if not task.cancelled() and task.exception() is not None:
            self._not_before = monotonic() + _AFTER_FAILURE_S


class SyncHeld(Generic[T]):
    """As AsyncHeld, for threads: who finds it due renews it, and the others take what there is."""

    def __init__(self, renew: Callable[[Ending[T] | None], Ending[T]]) -> None:
        self._renew = renew
        self._held: Ending[T] | None = None
        self._renewing = threading.Lock()
        self._holding = threading.Lock()
        self._not_before = 0.0

    @property
    def held(self) -> Ending[T] | None:
        return self._held

    def put(self, value: Ending[T] | None) -> None:
        with self._holding:
            self._held = value

    def get(self) -> T:
        held, now = self._held, monotonic()
        if held is None or now >= held.ends_at:
            with self._renewing:
                return self._renewed(held).value
        if now >= max(held.due_at, self._not_before) and self._renewing.acquire(blocking=False):
            try:
                return self._renewed(held).value
            except Unreachable:
                self._not_before = monotonic() + _AFTER_FAILURE_S
            finally:
                self._renewing.release()
        return held.value

    def renewed(self, *, instead_of: T | None = None) -> Ending[T]:
        with self._renewing:
            held = self._held
            if instead_of is not None and held is not None and held.value is not instead_of:
                return held
            return self._renewed(held)

    def _renewed(self, held: Ending[T] | None) -> Ending[T]:
        if self._held is not held and self._held is not None:
            return self._held
        new = self._renew(held)
        with self._holding:
            if self._held is held:
                self._held = new
        return new
