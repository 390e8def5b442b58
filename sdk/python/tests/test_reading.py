"""Reading a stream from a broker that answers as it likes."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from minos_sdk.call_errors import CallRefused
from minos_sdk.feeds.direct_get import Unread
from minos_sdk.feeds.minos import MinosItself
from minos_sdk.feeds.reading import Reading
from minos_sdk.feeds.snapshots import Snapshots
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


class Issuer:
    """Answers as Minos does, with the first so many signals there are."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.count = 0
        self.status = 200
        self.is_minos = True
        self.headers: dict[str, str] = {}
        self.no_token: Exception | None = None
        self.asked: list[str] = []
        self.http = httpx.AsyncClient(transport=httpx.MockTransport(self.answer))

    async def token(self, audience: str) -> str:
        assert audience == "minos"
        if self.no_token is not None:
            raise self.no_token
        return "minos-token"

    async def renewed(self, audience: str, *, instead_of: str | None = None) -> str:
        raise KeyError(audience, instead_of)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        after = request.url.params.get("after", "")
        self.asked.append(after)
        known = {name: int(count) for name, _, count in (place.split(":") for place in after.split(",") if place)}
        known = known if known.get("access", 0) <= self.count else {}
        facts = [fact(count) for count in range(known.get("access", 0) + 1, self.count + 1)]
        text = self.authority.signals.snapshot(facts, counts={"access": self.count, "roles.test": 0}, after=known)
        text = '{"code":"permission_denied"}' if self.status == 403 and self.is_minos else text
        return httpx.Response(self.status, text=text, headers=self.headers)


def fact(count: int) -> dict[str, Any]:
    return {"kind": "session", "id": f"s{count}", "until": None}


class Nobody:
    """A feed that brings nothing."""

    async def run(self, receiver: Receiver, http: httpx.AsyncClient) -> None:
        """What is read is all there is."""


class Follower:
    def __init__(self, authority: Authority, issuer: Issuer | None = None) -> None:
        self.authority = authority
        self.receiver: Receiver = authority.verifier(**({} if issuer is None else {"feed": Nobody()})).receiver
        minos = None if issuer is None else MinosItself(self.receiver, Snapshots(self.receiver, issuer.http, issuer))
        self.reading = Reading(self.receiver, "access", minos)

    def ended(self, count: int) -> str:
        return self.authority.signals.signal(fact(count), count=count)

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


async def test_attack_broker_that_leaves_a_signal_out_at_the_start(minos_authority: Authority) -> None:
    """Of what was told before somebody came, a heartbeat only says how far it goes."""
    issuer = Issuer(minos_authority)
    follower, broker, issuer.count = Follower(minos_authority, issuer), Broker({}), 3
    broker.stored = {count: follower.ended(count) for count in (1, 3)}
    assert await follower.reads(broker) == 3
    assert broker.asked == []


async def test_attack_broker_that_leaves_a_signal_out_while_minos_is_kept_away(minos_authority: Authority) -> None:
    issuer = Issuer(minos_authority)
    follower, broker, issuer.status = Follower(minos_authority, issuer), Broker({}), 503
    broker.stored = {1: follower.ended(1)}
    with pytest.raises(Unread, match="Minos itself"):
        await follower.reads(broker)
    assert broker.asked == []
    assert not follower.receiver.is_ready


async def test_attack_refusal_of_somebody_on_the_way_to_minos(minos_authority: Authority) -> None:
    """Whoever keeps a service from Minos does not have it take the broker's word instead."""
    issuer = Issuer(minos_authority)
    follower, issuer.status, issuer.is_minos = Follower(minos_authority, issuer), 403, False
    with pytest.raises(Unread, match="Minos itself"):
        await follower.reads(Broker({1: follower.ended(1)}))


async def test_a_service_that_may_not_ask_minos_takes_the_brokers_word(minos_authority: Authority) -> None:
    issuer = Issuer(minos_authority)
    follower, broker, issuer.status = Follower(minos_authority, issuer), Broker({}), 403
    broker.stored = {1: follower.ended(1)}
    assert await follower.reads(broker) == 1
    assert await follower.reads(broker) == 1
    assert len(issuer.asked) == 1


async def following(authority: Authority, issuer: Issuer, *, count: int = 1) -> tuple[Follower, Broker]:
    """One that knows so many signals, and where in the stream they end."""
    follower, issuer.count = Follower(authority, issuer), count
    broker = Broker({each: follower.ended(each) for each in range(1, count + 1)})
    await follower.reads(broker)
    await follower.hears_of(count)
    return follower, broker


async def test_few_that_are_missing_are_read_out_of_the_stream(minos_authority: Authority) -> None:
    issuer = Issuer(minos_authority)
    follower, broker = await following(minos_authority, issuer)
    broker.stored[2] = follower.ended(2)
    await follower.hears_of(2)
    assert await follower.reads(broker) == 2
    assert broker.asked == [2]
    assert len(issuer.asked) == 1


async def test_attack_broker_that_leaves_out_what_was_told_meanwhile(minos_authority: Authority) -> None:
    """Neither copied nor stored, where what came after it is: the gap is one that a newer signal could have left as well."""
    issuer = Issuer(minos_authority)
    follower, broker = await following(minos_authority, issuer)
    issuer.count, broker.stored[3] = 3, follower.ended(3)
    await follower.hears_of(3)
    assert await follower.reads(broker) == 3
    assert issuer.asked[1:] == ["access:1:1,roles.test:1:0"]


async def test_attack_broker_that_leaves_out_what_was_told_while_minos_is_kept_away(minos_authority: Authority) -> None:
    issuer = Issuer(minos_authority)
    follower, broker = await following(minos_authority, issuer)
    issuer.status, broker.stored[3] = 503, follower.ended(3)
    await follower.hears_of(3)
    with pytest.raises(Unread, match="lacks signals"):
        await follower.reads(broker)
    assert follower.receiver.classes["access"].lacks(1, 3)


async def test_attack_gap_that_is_filled_with_signals_of_another_epoch(minos_authority: Authority) -> None:
    issuer = Issuer(minos_authority)
    follower, broker = await following(minos_authority, issuer)
    issuer.status = 503
    for sequence, (epoch, count) in enumerate([(2, 1), (2, 2), (3, 3)], 2):
        broker.stored[sequence] = minos_authority.signals.signal(fact(count), count=count, epoch=epoch)
    with pytest.raises(Unread, match="lacks signals"):
        await follower.reads(broker)


async def test_gaps_are_asked_about_now_and_then(minos_authority: Authority) -> None:
    """Where signals are replaced again and again before they are sent, all services see gaps, at the same time."""
    issuer = Issuer(minos_authority)
    follower, broker = await following(minos_authority, issuer)
    for count in (3, 5):
        issuer.count, broker.stored[count] = count, follower.ended(count)
        await follower.hears_of(count)
        reading = asyncio.create_task(follower.reads(broker))
        for _ in range(20):
            await asyncio.sleep(0)
    assert not reading.done()
    reading.cancel()


async def test_attack_recorded_heartbeat_beside_an_answer_of_before(minos_authority: Authority) -> None:
    """While Minos is behind, its answers say so; what a broker plays then is no sign that nothing came since."""
    issuer = Issuer(minos_authority)
    follower, issuer.count, issuer.headers = Follower(minos_authority, issuer), 1, {"Age": "9"}
    with pytest.raises(Unread, match="Minos itself"):
        await follower.reads(Broker({}))
    await follower.hears_of(1)
    assert not follower.receiver.is_ready
    issuer.headers = {}
    await follower.reads(Broker({}))
    await follower.hears_of(1)
    assert follower.receiver.classes["access"].advanced_at == minos_authority.clock.monotonic()


@pytest.mark.parametrize("error", [CallRefused(429, "rate_limited", "Later."), CallRefused(500, "unknown", "?"), KeyError("secret")])
async def test_attack_broker_whose_word_is_taken_while_minos_is_busy(minos_authority: Authority, error: Exception) -> None:
    """Only who may not ask has to do without: whoever uses up a limit of the service gets nothing by it."""
    issuer = Issuer(minos_authority)
    follower, issuer.no_token = Follower(minos_authority, issuer), error
    broker = Broker({1: follower.ended(1)})
    with pytest.raises(Unread, match="Minos itself"):
        await follower.reads(broker)
    assert broker.asked == []


async def test_attack_broker_whose_word_is_taken_while_another_token_is_wanted(minos_authority: Authority) -> None:
    issuer = Issuer(minos_authority)
    follower, issuer.status = Follower(minos_authority, issuer), 401
    with pytest.raises(Unread, match="Minos itself"):
        await follower.reads(Broker({}))


async def test_many_that_are_missing_are_one_answer_of_minos(minos_authority: Authority) -> None:
    issuer = Issuer(minos_authority)
    follower, broker = await following(minos_authority, issuer)
    issuer.count = 900
    await follower.hears_of(900)
    assert await follower.reads(broker) == 900
    assert broker.asked == []
    assert issuer.asked[1:] == ["access:1:1,roles.test:1:0"]
    await follower.hears_of(900)
    assert not follower.receiver.classes["access"].lacks(1, 900)


async def test_many_are_read_out_of_the_stream_where_minos_is_away_for_a_moment(
    minos_authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minos_sdk.feeds.reading._FEW", 5)
    issuer = Issuer(minos_authority)
    follower, broker = await following(minos_authority, issuer)
    issuer.status = 503
    await follower.hears_of(9)
    broker.stored = {count: follower.ended(count) for count in range(1, 10)}
    assert await follower.reads(broker) == 9
    assert broker.asked == [2]


async def test_who_comes_back_after_long_takes_minos_word_for_it(minos_authority: Authority) -> None:
    issuer = Issuer(minos_authority)
    follower, broker = await following(minos_authority, issuer)
    minos_authority.clock.advance(46)
    issuer.count = 2
    await follower.hears_of(2)
    assert await follower.reads(broker) == 2
    assert broker.asked == []


async def test_copies_of_what_minos_told_before_cost_no_signature_check(minos_authority: Authority) -> None:
    """NATS comes back, and all that happened without it comes with it; the first one beyond it is looked at again."""
    issuer = Issuer(minos_authority)
    follower, broker = await following(minos_authority, issuer)
    issuer.count = 5
    follower.reading.begin()
    await follower.reads(broker)
    assert [follower.reading.knows(follower.ended(count)) for count in (2, 5, 6, 3)] == [True, True, False, False]
    assert not follower.reading.knows("no signal")


async def test_counts_that_come_again_after_the_issuer_lost_some_are_of_other_signals(minos_authority: Authority) -> None:
    """Until it begins another epoch, what it tells next would be taken for what is known."""
    issuer = Issuer(minos_authority)
    follower, _ = await following(minos_authority, issuer, count=9)
    issuer.count = 2
    follower.reading.begin()
    await follower.reads(Broker({}))
    assert not follower.reading.knows(follower.ended(4))
    await follower.hears_of(4)
    assert follower.reading.wanted.is_set()


async def test_attack_copy_of_another_epoch_that_is_taken_for_known(minos_authority: Authority) -> None:
    issuer = Issuer(minos_authority)
    follower, _ = await following(minos_authority, issuer, count=9)
    assert not follower.reading.knows(minos_authority.signals.signal(fact(2), count=2, epoch=2))
