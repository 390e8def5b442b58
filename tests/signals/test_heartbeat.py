"""A heartbeat says no more than is so: every commit before its moment is in the stream (threats.md 9)."""

import asyncio
from datetime import UTC, datetime

import asyncpg

from domain import user
from domain.user_events import SignedOutEverywhere
from tests.signals.author import now
from tests.signals.conftest import Feed
from tests.signals.subscriber import Subscriber, until
from tests.store.sequencing import append
from tests.tree.unsigned import NAME, note_of


def moment(subscriber: Subscriber) -> datetime:
    return datetime.fromtimestamp(subscriber.beats[-1]["complete_to"] / 1_000_000, UTC)


async def listening(feed: Feed) -> Subscriber:
    subscriber = feed.subscriber()
    await subscriber.listen()
    return subscriber


async def clock(feed: Feed) -> datetime:
    [row] = await feed.query("SELECT clock_timestamp() AS at")
    at: datetime = row["at"]
    return at


async def test_its_moment_moves_while_nothing_happens(feed: Feed) -> None:
    signaller, subscriber = feed.signaller(), await listening(feed)
    for _ in range(2):
        before = await clock(feed)
        await feed.tell(signaller)
        await until(subscriber, lambda before=before: len(subscriber.beats) > 0 and moment(subscriber) > before)
    numbers = [beat["beat"] for beat in subscriber.beats]
    assert numbers == sorted(set(numbers))


async def test_threat_9_a_heartbeat_carries_the_newest_checkpoint_of_the_log(feed: Feed) -> None:
    signaller, subscriber = feed.signaller(), await listening(feed)
    await feed.author.user()
    await feed.tell(signaller)
    await until(subscriber, lambda: len(subscriber.beats) > 0)
    assert "checkpoint" not in subscriber.beats[-1], "before there is one"
    ((size,),) = await feed.query("SELECT size FROM log_head")
    note = note_of(size, bytes(32))
    await feed.query("INSERT INTO vault.log_keys (name, public, wrapped, kek_id) VALUES ($1, $2, 'x', 'x')", NAME, bytes(32))
    await feed.query("SELECT store_checkpoint(epoch, size, $1, $2, NULL, now()) FROM log_head", bytes(32), note)
    seen = len(subscriber.beats)
    await signaller.folder.beat()
    await feed.send(signaller)
    await until(subscriber, lambda: len(subscriber.beats) > seen)
    assert subscriber.beats[-1]["checkpoint"] == note


async def test_what_is_committed_and_not_sequenced_holds_its_moment_back(feed: Feed) -> None:
    signaller, subscriber = feed.signaller(), await listening(feed)
    await feed.author.user()
    await feed.tell(signaller)
    ada = await feed.author.user()
    before = await clock(feed)
    await feed.author.sign_out(ada)
    await signaller.folder.beat()
    await feed.send(signaller)
    await until(subscriber, lambda: len(subscriber.beats) > 1)
    assert moment(subscriber) < before
    await feed.tell(signaller)
    await until(subscriber, lambda: moment(subscriber) > before)
    assert f"user:{ada}" in subscriber.facts


async def test_a_transaction_held_open_is_told_of_once_it_is_committed(feed: Feed) -> None:
    """What it says happened before the moment was not committed then: the moment vouches for commits."""
    signaller, subscriber = feed.signaller(), await listening(feed)
    ada = await feed.author.user()
    await feed.tell(signaller)
    dawdler = await asyncpg.connect(feed.database.app_url)
    late = feed.author.commit(user.decider, user.stream(ada), SignedOutEverywhere(user_id=ada, token_epoch=2, at=now()))
    async with dawdler.transaction():
        assert await append(dawdler, late)
        before = await clock(feed)
        await feed.tell(signaller)
        await until(subscriber, lambda: moment(subscriber) > before)
        assert not subscriber.facts
        held = moment(subscriber)
    await signaller.folder.beat()
    await feed.send(signaller)
    assert moment(subscriber) < await clock(feed)
    await feed.tell(signaller)
    await until(subscriber, lambda: moment(subscriber) > held and f"user:{ada}" in subscriber.facts)
    await dawdler.close()


async def test_it_says_nothing_new_while_rows_wait_for_nats(feed: Feed) -> None:
    signaller, subscriber = feed.signaller(), await listening(feed)
    await feed.tell(signaller)
    await until(subscriber, lambda: len(subscriber.beats) > 0)
    ada = await feed.author.user()
    await feed.author.sign_out(ada)
    before = await clock(feed)
    await feed.sequence()
    await signaller.folder.beat()
    [row] = await feed.query("SELECT complete_to, sent, count FROM signal_classes WHERE class = 'access'")
    assert row["complete_to"] > before
    assert row["sent"] < row["count"]
    assert moment(subscriber) < before
    await asyncio.sleep(0)
    await feed.send(signaller)
    await until(subscriber, lambda: moment(subscriber) > before)
    assert subscriber.beats[-1]["count"] == 1
