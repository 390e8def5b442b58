"""Who waits for a hash and who is turned away (threats.md 20)."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from adapters.hashing.queue import HashQueue, HashRefusal
from domain.errors import Overloaded


class Counted:
    def __init__(self) -> None:
        self.depth = 0
        self.refusals: list[HashRefusal] = []
        self.waits: list[float] = []
        self.hashes = 0

    def queued(self, depth: int) -> None:
        self.depth = depth

    def started(self, waited: float) -> None:
        self.waits.append(waited)

    def finished(self, took: float) -> None:
        self.hashes += 1

    def refused(self, why: HashRefusal) -> None:
        self.refusals.append(why)


class Line:
    """A queue of 24 places behind one busy thread."""

    def __init__(self, *, stale: float = 5.0) -> None:
        self.metrics = Counted()
        self.queue = HashQueue(1, limit=24, stale=stale, metrics=self.metrics)
        self.tasks: list[asyncio.Task[None]] = []

    async def occupy(self) -> None:
        await self.queue.enter(account=None, network=None)

    async def join(self, n: int = 1, *, known: bool = False, network: str | None = None) -> list["asyncio.Task[None]"]:
        joined = [asyncio.create_task(self.queue.enter(account=uuid4() if known else None, network=network)) for _ in range(n)]
        self.tasks += joined
        await asyncio.sleep(0)
        return joined


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    made = Line()
    await made.occupy()
    yield made
    for task in made.tasks:
        task.cancel()
    await asyncio.gather(*made.tasks, return_exceptions=True)


async def test_a_free_thread_is_taken_at_once() -> None:
    queue = HashQueue(2, limit=8)
    await queue.enter(account=None, network=None)
    await queue.enter(account=None, network=None)
    assert queue.depth == 0


async def test_turns_come_in_order_of_arrival(line: Line) -> None:
    first, second = await line.join(2)
    line.queue.leave(0.01)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert first.done()
    assert not second.done()


async def test_threat_20_a_third_of_the_queue_is_kept_for_known_devices(line: Line) -> None:
    await line.join(16)
    with pytest.raises(Overloaded):
        await line.queue.enter(account=None, network=None)
    await line.join(8, known=True)
    assert line.queue.depth == 24
    assert line.metrics.refusals == [HashRefusal.FULL]


async def test_past_the_limit_even_known_devices_are_refused_early(line: Line) -> None:
    await line.join(24, known=True)
    with pytest.raises(Overloaded) as refusal:
        await line.queue.enter(account=uuid4(), network=None)
    assert refusal.value.retry_after >= 1


async def test_threat_20_one_network_holds_at_most_an_eighth(line: Line) -> None:
    await line.join(3, network="203.0.113.0/24")
    with pytest.raises(Overloaded):
        await line.queue.enter(account=None, network="203.0.113.0/24")
    await line.join(1, network="198.51.100.0/24")
    assert line.queue.depth == 4
    assert line.metrics.refusals == [HashRefusal.NETWORK]


async def test_threat_20_strangers_on_the_owners_network_cannot_keep_the_owner_out(line: Line) -> None:
    strangers = await line.join(3, network="203.0.113.0/24")
    await line.join(1, known=True, network="203.0.113.0/24")
    await asyncio.sleep(0)
    assert isinstance(strangers[-1].exception(), Overloaded)
    assert line.queue.depth == 3
    assert line.metrics.refusals == [HashRefusal.DISPLACED]


async def test_known_devices_of_one_network_hold_no_more_than_an_eighth_either(line: Line) -> None:
    await line.join(3, known=True, network="203.0.113.0/24")
    with pytest.raises(Overloaded):
        await line.queue.enter(account=uuid4(), network="203.0.113.0/24")


async def test_one_account_does_not_fill_what_is_kept_for_all_that_are_known(line: Line) -> None:
    one = uuid4()
    line.tasks += [asyncio.create_task(line.queue.enter(account=one, network=f"203.0.{n}.0/24")) for n in range(18)]
    await asyncio.sleep(0)
    assert line.queue.depth == 18, "what it has beyond its places waits as a stranger would"
    with pytest.raises(Overloaded):
        await line.queue.enter(account=one, network="203.0.113.0/24")
    assert line.metrics.refusals == [HashRefusal.FULL]
    await line.join(6, known=True)
    assert line.queue.depth == 24


async def test_threat_20_who_has_waited_too_long_is_turned_away() -> None:
    line = Line(stale=0.02)
    await line.occupy()
    with pytest.raises(Overloaded):
        await line.queue.enter(account=None, network=None)
    assert line.queue.depth == 0
    assert line.metrics.refusals == [HashRefusal.STALE]


async def test_a_caller_who_goes_away_leaves_the_line(line: Line) -> None:
    [gone] = await line.join()
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    assert line.queue.depth == 0


async def test_a_turn_that_comes_as_its_owner_goes_away_is_not_lost(line: Line) -> None:
    gone, waiting = await line.join(2)
    line.queue.leave(0.01)
    gone.cancel()
    await asyncio.wait_for(waiting, 1)
    assert gone.cancelled()


async def test_nobody_overtakes_the_line_when_a_thread_comes_free(line: Line) -> None:
    await line.join(1)
    line.queue.leave(0.01)
    late = asyncio.create_task(line.queue.enter(account=uuid4(), network=None))
    line.tasks.append(late)
    await asyncio.sleep(0.01)
    assert not late.done()


async def test_what_was_not_done_frees_its_thread_and_is_no_hash(line: Line) -> None:
    (waiting,) = await line.join(1)
    assert isinstance(line.queue.leave_undone(), Overloaded)
    await asyncio.wait_for(waiting, 1)
    assert line.metrics.refusals == [HashRefusal.ENDED]
    assert line.metrics.hashes == 0


async def test_waits_are_measured(line: Line) -> None:
    await line.join(1)
    line.queue.leave(0.01)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(line.metrics.waits) == 2
    assert line.metrics.depth == 0
