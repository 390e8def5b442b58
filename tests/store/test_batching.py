"""Natural batching."""

import asyncio
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.batching import Batcher
from domain.errors import Overloaded, StoreUnavailable


class Flushes:
    """Doubles numbers, slowly, and remembers the batches and what ran beside what."""

    def __init__(self, seconds: float = 0.005) -> None:
        self.batches: list[list[int]] = []
        self.running: list[list[int]] = []
        self.beside: list[tuple[int, int]] = []
        self._seconds = seconds

    async def __call__(self, _: int, items: Sequence[int]) -> Sequence[int]:
        batch = list(items)
        self.beside += [(a, b) for other in self.running for a in other for b in batch]
        self.running.append(batch)
        self.batches.append(batch)
        await asyncio.sleep(self._seconds)
        self.running.remove(batch)
        if -1 in batch:
            raise ArithmeticError
        return [2 * item for item in batch]


def modulo(n: int) -> Callable[[int], Sequence[int]]:
    return lambda item: (item % n,)


async def test_one_alone_goes_at_once_and_the_next_together() -> None:
    flushes = Flushes()
    batcher = Batcher(flushes)
    first = asyncio.create_task(batcher.submit(0))
    await asyncio.sleep(0.001)
    rest = [asyncio.create_task(batcher.submit(n)) for n in range(1, 9)]
    assert [await t for t in (first, *rest)] == [2 * n for n in range(9)]
    assert flushes.batches == [[0], list(range(1, 9))]


async def test_a_batch_has_a_limit() -> None:
    flushes = Flushes()
    batcher = Batcher(flushes, limit=4)
    await asyncio.gather(*(batcher.submit(n) for n in range(10)))
    assert [len(b) for b in flushes.batches] == [4, 4, 2]


async def test_work_for_one_key_goes_in_order_and_never_side_by_side() -> None:
    flushes = Flushes(0.001)
    batcher = Batcher(flushes, lanes=3, limit=4, keys=modulo(3))
    await asyncio.gather(*(batcher.submit(n) for n in range(30)))
    assert all(len({n % 3 for n in batch}) == len(batch) for batch in flushes.batches)
    assert not [pair for pair in flushes.beside if pair[0] % 3 == pair[1] % 3]
    order = [n for batch in flushes.batches for n in batch]
    assert all([n for n in order if n % 3 == key] == list(range(key, 30, 3)) for key in range(3))


class Held:
    """A lane that is held up until it is let go; the others go on."""

    def __init__(self) -> None:
        self.let_go = asyncio.Event()
        self.batches: list[list[int]] = []

    async def __call__(self, lane: int, items: Sequence[int]) -> Sequence[int]:
        self.batches.append(list(items))
        if items[0] == 0:
            await self.let_go.wait()
        return items


async def held_up(batcher: Batcher[int, int], held: Held) -> "asyncio.Task[int]":
    """Submit what holds the first lane up."""
    first = asyncio.create_task(batcher.submit(0))
    while not held.batches:
        await asyncio.sleep(0)
    return first


async def test_a_lane_beside_another_is_for_a_crowd() -> None:
    held = Held()
    batcher = Batcher(held, lanes=2, crowd=3)
    first = await held_up(batcher, held)
    few = [asyncio.create_task(batcher.submit(n)) for n in (1, 2)]
    await asyncio.sleep(0)
    assert held.batches == [[0]]
    assert await batcher.submit(3) == 3
    assert held.batches == [[0], [1, 2, 3]]
    held.let_go.set()
    assert [await task for task in (first, *few)] == [0, 1, 2]


async def test_a_lane_that_is_held_up_keeps_nobody_waiting() -> None:
    held = Held()
    batcher = Batcher(held, lanes=2, crowd=24)
    first = await held_up(batcher, held)
    assert await batcher.submit(1) == 1
    assert not first.done()
    held.let_go.set()
    assert await first == 0


async def test_who_asks_again_as_soon_as_they_are_answered_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """By then the loop has not looked after the task that answered; nothing is under way all the same."""
    monkeypatch.setattr("adapters.batching.PATIENCE_SECONDS", 60)
    batcher = Batcher(Flushes(0), lanes=2, crowd=24)
    async with asyncio.timeout(2):
        assert [await batcher.submit(n) for n in range(3)] == [0, 2, 4]


@given(
    lanes=st.integers(1, 3), crowd=st.integers(1, 4), limit=st.integers(1, 5), keys=st.integers(1, 6),
    pauses=st.lists(st.booleans(), min_size=1, max_size=60),
)  # fmt: skip
async def test_no_wake_up_is_lost(lanes: int, crowd: int, limit: int, keys: int, pauses: Sequence[bool]) -> None:
    batcher = Batcher(Flushes(0), lanes=lanes, crowd=crowd, limit=limit, keys=modulo(keys))

    async def submit(n: int) -> int:
        for _ in range(n % 4):
            await asyncio.sleep(0)
        return await batcher.submit(n)

    tasks: list[asyncio.Task[int]] = []
    for n, pause in enumerate(pauses):
        tasks.append(asyncio.create_task(submit(n)))
        if pause:
            await asyncio.sleep(0)
    async with asyncio.timeout(2):
        assert [await t for t in tasks] == [2 * n for n in range(len(pauses))]


async def test_a_failed_flush_fails_its_batch_and_no_other() -> None:
    batcher = Batcher(Flushes(), limit=2)
    results = await asyncio.gather(*(batcher.submit(n) for n in (1, -1, 3, 4)), return_exceptions=True)
    assert [type(r) for r in results] == [ArithmeticError, ArithmeticError, int, int]


async def test_work_that_waited_too_long_is_refused() -> None:
    batcher = Batcher(Flushes(0.05), limit=1, deadline=0.08)
    results = await asyncio.gather(*(batcher.submit(n) for n in range(4)), return_exceptions=True)
    assert [type(r) for r in results] == [int, int, StoreUnavailable, StoreUnavailable]


async def test_a_queue_that_is_full_refuses_early() -> None:
    batcher = Batcher(Flushes(), limit=1, queue_limit=3)
    results = await asyncio.gather(*(batcher.submit(n) for n in range(5)), return_exceptions=True)
    assert [type(r) for r in results] == [int, int, int, Overloaded, Overloaded]


async def test_closing_answers_what_is_queued_and_refuses_the_rest() -> None:
    batcher = Batcher(Flushes(), limit=2)
    tasks = [asyncio.create_task(batcher.submit(n)) for n in range(5)]
    await asyncio.sleep(0.001)
    await batcher.close()
    assert [t.result() for t in tasks] == [0, 2, 4, 6, 8]
    with pytest.raises(StoreUnavailable):
        await batcher.submit(1)
