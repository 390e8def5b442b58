"""Natural batching: while a flush is under way new work queues, and goes together when a lane is free.

No timer: an idle system adds no delay. Work for one key never shares a batch, and never runs on two lanes at once.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from domain.errors import Overloaded, StoreUnavailable

T = TypeVar("T")
R = TypeVar("R")

Flush = Callable[[int, Sequence[T]], Awaitable[Sequence[R]]]
"""Called with the lane's number and the batch; gives one result per item, in order. Must have a deadline of its own."""

PATIENCE_SECONDS = 0.025
"""How long a few wait for a lane under way before they take one of their own: it may be held up."""

SCAN_FACTOR = 16
"""A look at the queue passes over at most this many batches' worth of work whose keys are taken."""


@dataclass(slots=True)
class _Waiting(Generic[T, R]):
    item: T
    keys: tuple[Hashable, ...]
    future: "asyncio.Future[R]"
    since: float


def _no_keys(_: object) -> Iterable[Hashable]:
    return ()


class Batcher(Generic[T, R]):
    """Queue work and flush it in batches of at most `limit` over `lanes` concurrent lanes.

    A lane beside one under way is for `crowd` items or more: fewer go cheaper together, when that one is done.
    Work that waited longer than `deadline` seconds is refused with StoreUnavailable when its turn comes; past
    `queue_limit` it is refused at once with Overloaded.
    """

    def __init__(
        self,
        flush: Flush[T, R],
        *,
        lanes: int = 1,
        crowd: int = 1,
        limit: int = 64,
        keys: Callable[[T], Iterable[Hashable]] = _no_keys,
        deadline: float = 5.0,
        queue_limit: int = 10_000,
    ) -> None:
        self._flush = flush
        self._limit = limit
        self._crowd = crowd
        self._keys = keys
        self._deadline = deadline
        self._queue_limit = queue_limit
        self._queue: deque[_Waiting[T, R]] = deque()
        self._held: set[Hashable] = set()
        self._lanes = lanes
        self._idle = list(range(lanes))
        self._running: set[asyncio.Task[None]] = set()
        self._waited: asyncio.TimerHandle | None = None
        self._closed = False

    async def submit(self, item: T) -> R:
        """Give the result of the flush that took this item. A flush's exception goes to all of its batch."""
        if self._closed:
            raise StoreUnavailable
        if len(self._queue) >= self._queue_limit:
            raise Overloaded
        loop = asyncio.get_running_loop()
        waiting: _Waiting[T, R] = _Waiting(item, tuple(self._keys(item)), loop.create_future(), loop.time())
        self._queue.append(waiting)
        self._start_lane()
        return await waiting.future

    async def close(self) -> None:
        """Refuse new work and wait for what is queued."""
        self._closed = True
        while self._running:
            await asyncio.wait(self._running)

    def _start_lane(self) -> None:
        if not self._idle or not self._queue:
            return
        nothing_under_way = len(self._idle) == self._lanes  # a lane's task lasts a turn of the loop longer than its work
        if nothing_under_way or len(self._queue) >= self._crowd:
            self._open_lane()
        elif self._waited is None:
            self._waited = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._wait_no_longer)

    def _open_lane(self) -> None:
        task = asyncio.get_running_loop().create_task(self._drain(self._idle.pop()))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _wait_no_longer(self) -> None:
        self._waited = None
        if self._idle and self._queue:
            self._open_lane()

    async def _drain(self, lane: int) -> None:
        # From the look that finds the queue empty to the lane being idle there is no await: a wake-up cannot be lost.
        try:
            while batch := self._take():
                self._start_lane()
                await self._run(lane, batch)
        finally:
            self._idle.append(lane)

    async def _run(self, lane: int, batch: Sequence[_Waiting[T, R]]) -> None:
        try:
            results = await self._flush(lane, [w.item for w in batch])
            for waiting, result in zip(batch, results, strict=True):
                if not waiting.future.done():
                    waiting.future.set_result(result)
        except BaseException as error:  # whoever waits must learn of it, whatever it is
            refusal = error if isinstance(error, Exception) else StoreUnavailable()
            for waiting in batch:
                if not waiting.future.done():
                    waiting.future.set_exception(refusal)
            if not isinstance(error, Exception):
                raise
        finally:
            for waiting in batch:
                self._held.difference_update(waiting.keys)

    def _take(self) -> Sequence[_Waiting[T, R]]:
        """The next batch in order of arrival, passing over what must wait for a key; nothing overtakes on its own key."""
        batch: list[_Waiting[T, R]] = []
        passed: list[_Waiting[T, R]] = []
        passed_keys: set[Hashable] = set()
        expired = asyncio.get_running_loop().time() - self._deadline
        while self._queue and len(batch) < self._limit and len(passed) < self._limit * SCAN_FACTOR:
            waiting = self._queue.popleft()
            if waiting.future.done():
                continue
            if waiting.since < expired:
                waiting.future.set_exception(StoreUnavailable())
            elif not self._held.isdisjoint(waiting.keys) or not passed_keys.isdisjoint(waiting.keys):
                passed.append(waiting)
                passed_keys.update(waiting.keys)
            else:
                self._held.update(waiting.keys)
                batch.append(waiting)
        self._queue.extendleft(reversed(passed))
        return batch
