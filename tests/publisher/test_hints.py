"""Hints wake other processes, and cost next to nothing."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import uvloop

from adapters import hints as module
from adapters.embedded_nats import NatsServer
from adapters.hints import GATHERED, Hints, listen
from adapters.nats_client import NatsConnection, settled
from tests.publisher.conftest import connection_to
from workers.hints import Hint
from workers.status import WorkerCondition, is_ready, note, worker_status


async def test_a_burst_of_hints_wakes_another_process_with_few_messages(nats_server: NatsServer) -> None:
    here, there = connection_to(nats_server), connection_to(nats_server)
    await here.connect()
    await there.connect()
    woken = 0

    def wake() -> None:
        nonlocal woken
        woken += 1

    await listen(there.client, "test.hint", wake)
    await settled(there.client)
    hints = Hints(here.client, "test.hint")
    for _ in range(200):
        hints.send()
        await asyncio.sleep(0)
    await asyncio.sleep(0.1)
    await hints.close()
    await here.close()
    await there.close()
    assert 1 <= woken < 50


async def test_the_last_hint_of_a_burst_is_never_swallowed(nats_server: NatsServer) -> None:
    here, there = connection_to(nats_server), connection_to(nats_server)
    await here.connect()
    await there.connect()
    hint = Hint()
    await listen(there.client, "test.last", hint.set)
    await settled(there.client)
    hints = Hints(here.client, "test.last")
    hints.send()
    assert await hint.within(1)
    hint.clear()
    hints.send()
    assert await hint.within(1)
    await here.close()
    await there.close()


LONG_SECONDS = 1.0
"""Gathering takes so long here: a machine that is busy for a moment must not decide what comes first."""


@pytest.fixture
def gathering_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GATHER_SECONDS", LONG_SECONDS)


async def arrivals(
    nats_server: NatsServer, subject: str, tell: Callable[[Hints], Awaitable[None]], *, at_least: int, first: asyncio.Event | None = None
) -> list[float]:
    """Give after how many seconds a hint came, each counted from the beginning of `tell`. Waits for those there have to be.

    `first` is set when the first one has come.
    """
    here, there = connection_to(nats_server), connection_to(nats_server)
    await here.connect()
    await there.connect()
    loop = asyncio.get_running_loop()
    came: list[float] = []

    def heard() -> None:
        came.append(loop.time())
        if first is not None:
            first.set()

    await listen(there.client, subject, heard)
    await settled(there.client)
    hints = Hints(here.client, subject)
    began = loop.time()
    await tell(hints)
    await asyncio.sleep(1.5 * LONG_SECONDS)
    async with asyncio.timeout(20):
        while len(came) < at_least:
            await asyncio.sleep(0.05)
    await hints.close()
    await here.close()
    await there.close()
    return [at - began for at in came]


@pytest.mark.usefixtures("gathering_slowly")
async def test_what_is_in_no_hurry_is_told_at_once_after_a_quiet_time(nats_server: NatsServer) -> None:
    async def tell(hints: Hints) -> None:
        hints.gather()

    (only,) = await arrivals(nats_server, "test.quiet", tell, at_least=1)
    assert only < LONG_SECONDS * 0.9


@pytest.mark.usefixtures("gathering_slowly")
async def test_what_follows_comes_once_and_later(nats_server: NatsServer) -> None:
    async def tell(hints: Hints) -> None:
        for _ in range(GATHERED):
            hints.gather()
            await asyncio.sleep(0)

    first, second = await arrivals(nats_server, "test.gather", tell, at_least=2)
    assert first < LONG_SECONDS * 0.9 <= second


@pytest.mark.usefixtures("gathering_slowly")
async def test_enough_of_it_waits_no_longer(nats_server: NatsServer) -> None:
    async def tell(hints: Hints) -> None:
        for _ in range(GATHERED + 1):
            hints.gather()
            await asyncio.sleep(0)

    first, second = await arrivals(nats_server, "test.enough", tell, at_least=2)
    assert first <= second < LONG_SECONDS * 0.9


@pytest.mark.usefixtures("gathering_slowly")
async def test_a_hurried_hint_overtakes_and_takes_the_others_along(nats_server: NatsServer) -> None:
    alone = asyncio.Event()

    async def tell(hints: Hints) -> None:
        hints.gather()
        await alone.wait()
        hints.gather()
        hints.send()

    first, second = await arrivals(nats_server, "test.overtakes", tell, at_least=2, first=alone)
    assert first <= second < LONG_SECONDS * 0.9


def test_what_is_due_at_once_is_overtaken_by_nothing_and_fails_nobody() -> None:
    """The loop the service runs on gives no timer for less than a millisecond, but something that cannot say when it is due."""

    async def close_together() -> None:
        hints = Hints(NatsConnection("nats://127.0.0.1:9").client, "test.due")
        hints.send()
        hints._send_at(asyncio.get_running_loop().time())
        due = hints._later
        hints.gather()
        hints.send()
        assert hints._later is due
        await hints.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(close_together())


async def test_hints_without_nats_do_nothing() -> None:
    away = NatsConnection("nats://127.0.0.1:9")
    hints = Hints(away.client, "test.hint")
    hints.send()
    hints.gather()
    await hints.close()


async def test_a_hint_that_never_comes_ends_the_wait() -> None:
    assert not await Hint().within(0.01)


def test_a_halted_worker_turns_readiness_red_and_says_why() -> None:
    note("tester", WorkerCondition.RUNNING)
    assert {status.worker: status.condition for status in worker_status()}["tester"] is WorkerCondition.RUNNING
    note("tester", WorkerCondition.HALTED, "for a reason")
    assert not is_ready()
    assert {status.worker: status.reason for status in worker_status()}["tester"] == "for a reason"
    note("tester", WorkerCondition.RUNNING)
