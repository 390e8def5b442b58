"""The stream holds every event under its position, whatever happens to publisher and broker."""

import asyncio

import asyncpg
import pytest

from adapters.jetstream import NotTheEnd, StreamAway
from tests.publisher.conftest import Line, drain
from tests.store.sequencing import another_epoch
from workers.publisher import Halted, Published

ANOTHER = b'{"event_id":"00000000-0000-7000-8000-000000000000"}'


async def test_sequences_are_positions(line: Line) -> None:
    size = await line.grow(3)
    await drain(line.publisher())
    assert await line.last_sequence() == size == 6
    assert [(await line.message(n))["position"] for n in range(1, 7)] == [1, 2, 3, 4, 5, 6]


async def test_a_long_log_goes_out_in_several_batches(line: Line) -> None:
    size = await line.grow(550)
    await drain(line.publisher())
    assert await line.last_sequence() == size == 1_100
    assert (await line.message(1_100))["position"] == 1_100


async def test_two_publishers_send_each_event_once(line: Line) -> None:
    publishers = [line.publisher(), line.publisher()]
    stop = asyncio.Event()

    async def keep_sending(number: int) -> None:
        while not stop.is_set():
            try:
                await publishers[number].step()
            except NotTheEnd:
                await asyncio.sleep(0)

    tasks = [asyncio.create_task(keep_sending(number)) for number in range(2)]
    for _ in range(40):
        await line.grow()
    for _ in range(500):
        if await line.last_sequence() == 80:
            break
        await asyncio.sleep(0.01)
    stop.set()
    await asyncio.gather(*tasks)
    assert [(await line.message(n))["position"] for n in (1, 40, 80)] == [1, 40, 80]
    assert await line.last_sequence() == 80


async def test_the_second_publisher_is_refused_and_looks_again(line: Line) -> None:
    first, second = line.publisher(), line.publisher()
    await line.grow()
    await drain(first)
    await drain(second)
    await line.grow()
    await drain(first)
    with pytest.raises(NotTheEnd):
        await second.step()
    assert not await second.step()


async def test_an_emptied_broker_gets_the_same_numbers_again(line: Line) -> None:
    publisher = await line.sent(3)
    before = [await line.message(n) for n in range(1, 7)]
    await line.ask(f"STREAM.DELETE.{line.name}")
    await line.grow()
    with pytest.raises(StreamAway):
        await publisher.step()
    await drain(publisher)
    assert [await line.message(n) for n in range(1, 7)] == before
    assert await line.last_sequence() == 8


async def test_an_emptied_broker_gets_what_was_pruned_meanwhile_under_its_number_too(line: Line) -> None:
    publisher = await line.sent(2)
    before = [await line.message(n) for n in range(1, 5)]
    superuser = await asyncpg.connect(line.database.superuser_url)
    await superuser.execute("ALTER TABLE events_p000000 DROP CONSTRAINT says_something")
    await superuser.execute("SET session_replication_role = replica")
    await superuser.execute("UPDATE events SET payload = '' WHERE append_id = 2")
    await superuser.close()
    await line.ask(f"STREAM.DELETE.{line.name}")
    await line.grow()
    with pytest.raises(StreamAway):
        await publisher.step()
    await drain(publisher)
    after = [await line.message(n) for n in range(1, 5)]
    assert after == [before[0], before[1] | {"data": {}, "pruned": True}, *before[2:]]


async def test_the_stream_can_be_neither_purged_nor_thinned(line: Line) -> None:
    await line.sent()
    assert "error" in await line.ask(f"STREAM.PURGE.{line.name}")
    assert "error" in await line.ask(f"STREAM.MSG.DELETE.{line.name}", {"seq": 1})


async def test_a_broker_ahead_of_the_log_halts_and_is_never_overwritten(line: Line) -> None:
    await line.sent()
    await line.intrude(ANOTHER)
    again = line.publisher()
    with pytest.raises(Halted):
        await again.step()
    await line.grow()
    with pytest.raises(Halted):
        await again.step()
    assert await line.last_sequence() == 3


async def test_a_halted_publisher_says_so_and_goes_on_after_a_new_epoch(line: Line) -> None:
    await line.sent()
    await line.intrude(ANOTHER)
    told: list[Published] = []
    stop = asyncio.Event()
    again = line.publisher()
    again._observe = told.append
    running = asyncio.create_task(again.run(stop))
    async with asyncio.timeout(5):
        while not any(state.halted for state in told):
            await asyncio.sleep(0.01)
    await another_epoch(line.database.owner_url)
    async with asyncio.timeout(8):
        while told[-1].position != 3:
            await asyncio.sleep(0.05)
    stop.set()
    again.hint.set()
    await running
    assert (await line.message(2, f"{line.name}_E2"))["epoch"] == 2
    assert (await line.message(1))["epoch"] == 1


async def test_a_database_that_lost_what_was_sent_and_wrote_something_else_is_found_out(line: Line) -> None:
    publisher = await line.sent()
    owner = await asyncpg.connect(line.database.superuser_url)
    try:
        await owner.execute("SET session_replication_role = replica")
        await owner.execute("UPDATE events SET event_id = gen_random_uuid() WHERE version = 2")
    finally:
        await owner.close()
    await line.grow()
    with pytest.raises(Halted):
        await publisher.step()
    assert await line.last_sequence() == 2


async def test_a_log_that_became_shorter_than_the_stream_halts(line: Line) -> None:
    publisher = await line.sent()
    owner = await asyncpg.connect(line.database.superuser_url)
    try:
        await owner.execute("UPDATE log_runs SET n = 1")
        await owner.execute("UPDATE log_head SET size = 1")
    finally:
        await owner.close()
    with pytest.raises(Halted):
        await publisher.step()


async def test_a_stranger_s_message_at_the_end_halts(line: Line) -> None:
    await line.sent()
    await line.intrude(b"hello")
    again = line.publisher()
    with pytest.raises(Halted):
        await again.step()
