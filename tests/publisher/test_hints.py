"""Hints wake other processes, and cost next to nothing."""

import asyncio

from adapters.embedded_nats import NatsServer
from adapters.hints import Hints, listen
from adapters.nats_client import NatsConnection
from workers.hints import Hint
from workers.status import WorkerCondition, is_ready, note, worker_status


async def test_a_burst_of_hints_wakes_another_process_with_few_messages(nats_server: NatsServer) -> None:
    here, there = NatsConnection(nats_server.url), NatsConnection(nats_server.url)
    await here.connect()
    await there.connect()
    woken = 0

    def wake() -> None:
        nonlocal woken
        woken += 1

    await listen(there.client, "test.hint", wake)
    await there.client.flush()
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
    here, there = NatsConnection(nats_server.url), NatsConnection(nats_server.url)
    await here.connect()
    await there.connect()
    hint = Hint()
    await listen(there.client, "test.last", hint.set)
    await there.client.flush()
    hints = Hints(here.client, "test.last")
    hints.send()
    assert await hint.within(1)
    hint.clear()
    hints.send()
    assert await hint.within(1)
    await here.close()
    await there.close()


async def test_hints_without_nats_do_nothing() -> None:
    away = NatsConnection("nats://127.0.0.1:9")
    hints = Hints(away.client, "test.hint")
    hints.send()
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
