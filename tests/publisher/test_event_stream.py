"""Few messages go one by one, many at once; either way they follow each other under the numbers they were meant for, or not at all."""

from uuid import uuid4

import pytest

from adapters.event_stream import EventStream
from adapters.jetstream import FEW, NotTheEnd, Outgoing
from tests.publisher.conftest import Line


def messages(line: Line, count: int) -> list[Outgoing]:
    return [Outgoing(f"{line.root}.v1.test.happened", b'{"event_id":"%s"}' % str(uuid4()).encode()) for _ in range(count)]


@pytest.mark.parametrize("count", [1, 2, FEW, FEW + 1, 100])
async def test_messages_follow_each_other_in_order(line: Line, count: int) -> None:
    stream = EventStream(line.client, epoch=1, name=line.name, root=line.root)
    assert (await stream.open()).sequence == 0
    sent = messages(line, 2 * count)
    await stream.append(0, sent[:count])
    await stream.append(count, sent[count:])
    assert await line.last_sequence() == 2 * count
    found = [(await line.message(sequence))["event_id"] for sequence in range(1, 2 * count + 1)]
    assert found == [message.body.decode()[13:-2] for message in sent]


@pytest.mark.parametrize("count", [1, 2, FEW, FEW + 1])
@pytest.mark.parametrize("wrong", [0, 2, 9])
async def test_nothing_is_added_at_the_wrong_place(line: Line, count: int, wrong: int) -> None:
    stream = EventStream(line.client, epoch=1, name=line.name, root=line.root)
    await stream.open()
    await stream.append(0, messages(line, 1))
    with pytest.raises(NotTheEnd):
        await stream.append(wrong, messages(line, count))
    assert await line.last_sequence() == 1


async def test_a_stream_that_anybody_could_be_let_read_is_closed_when_it_is_opened(line: Line) -> None:
    stream = EventStream(line.client, epoch=1, name=line.name, root=line.root)
    await stream.open()
    assert not (await line.ask(f"STREAM.INFO.{line.name}"))["config"].get("allow_direct")
    made = (await line.ask(f"STREAM.INFO.{line.name}"))["config"]
    await line.ask(f"STREAM.UPDATE.{line.name}", {**made, "allow_direct": True})
    await stream.open()
    assert not (await line.ask(f"STREAM.INFO.{line.name}"))["config"].get("allow_direct")
