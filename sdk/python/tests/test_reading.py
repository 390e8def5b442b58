"""Reading a stream from a broker that answers as it likes."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from minos_sdk.feeds.direct_get import Unread
from minos_sdk.feeds.reading import Reading
from minos_sdk.receiver import Receiver
from minos_sdk.signal_sets import LONGEST, Beat
from minos_sdk.testing import Authority


@dataclass
class Message:
    headers: dict[str, str]
    data: bytes = b""


class Broker:
    """Answers Direct Get with what it has from a sequence on. What it has is by its word alone: sequences are not signed."""

    def __init__(self, stored: dict[int, str], **lies: str) -> None:
        self.stored = stored
        self.asked: list[int] = []
        self.lies = {name.replace("_", "-"): value for name, value in lies.items()}

    def new_inbox(self) -> str:
        return "_INBOX"

    async def subscribe(self, _: str, *, cb: Any) -> "Broker":
        self._answer = cb
        return self

    async def unsubscribe(self) -> None:
        """Nothing more comes."""

    async def publish(self, _: str, question: bytes, *, reply: str) -> None:
        first = json.loads(question)["seq"]
        self.asked.append(first)
        for sequence, text in self.stored.items():
            if sequence >= first:
                await self._answer(Message({"Nats-Sequence": str(sequence)}, text.encode()))
        end = {"Status": "204", "Nats-Num-Pending": "0", "Nats-Last-Sequence": str(max(self.stored))}
        await self._answer(Message(end | self.lies))


class Follower:
    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.receiver: Receiver = authority.verifier().receiver
        self.reading = Reading(self.receiver, "access")

    def ended(self, count: int) -> str:
        fact = {"kind": "session", "id": f"s{count}", "until": None}
        return self.authority.signals.signal(fact, count=count)

    async def hears_of(self, count: int) -> None:
        beat = await self.receiver.signal(self.authority.signals.heartbeat("access", count=count, sequence=count))
        assert isinstance(beat, Beat)
        self.reading.beat(beat)

    async def reads(self, broker: Broker) -> int:
        await self.reading.read(broker)  # type: ignore[arg-type]
        return self.receiver.revocations.entries()["session"]


async def test_a_reading_goes_on_where_the_last_one_ended(minos_authority: Authority) -> None:
    follower, broker = Follower(minos_authority), Broker({})
    for count in (1, 2, 3):
        await follower.hears_of(count)
        broker.stored[count] = follower.ended(count)
        assert await follower.reads(broker) == count
    assert broker.asked == [1, 2, 3]


async def test_attack_stream_that_goes_on_and_gets_no_further(minos_authority: Authority) -> None:
    follower = Follower(minos_authority)
    broker = Broker({1: follower.ended(1)}, Nats_Num_Pending="1", Nats_Last_Sequence="0")
    with pytest.raises(Unread, match="no further"):
        await follower.reads(broker)
    assert broker.asked == [1]


async def test_attack_stored_messages_that_fill_the_memory(minos_authority: Authority) -> None:
    follower = Follower(minos_authority)
    with pytest.raises(Unread, match="no signal"):
        await follower.reads(Broker({1: "x" * (LONGEST + 1)}))


async def test_attack_sequence_far_ahead_hides_what_comes_after_it_for_good(minos_authority: Authority) -> None:
    """A broker that was somebody else's for a moment leaves nothing behind."""
    follower = Follower(minos_authority)
    await follower.hears_of(1)
    assert await follower.reads(Broker({1_000_000_000: follower.ended(1)})) == 1
    await follower.hears_of(2)
    assert await follower.reads(Broker({1: follower.ended(1), 2: follower.ended(2)})) == 2
    await follower.hears_of(2)
    assert not follower.receiver.classes["access"].lacks(1, 2)
