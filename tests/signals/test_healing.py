"""Whatever NATS or Postgres loses, what services are told comes to the truth again, and they are told that it had not."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from adapters.embedded_nats import NatsServer
from adapters.signal_sets import Feed as Place
from adapters.signal_sets import SignalSigner
from domain.ids import UserId
from tests.conftest import Database
from tests.projections.histories import broken_event
from tests.signals.conftest import Feed, laid
from tests.signals.one_key import ISSUER
from tests.signals.subscriber import Subscriber, until
from tests.store.sequencing import another_epoch
from workers.signals.folder import Folded
from workers.signals.signaller import Signaller
from workers.signals.watch import Watch
from workers.status import worker_status


@pytest.fixture
async def fragile(database: Database, tmp_path: Path) -> AsyncIterator[tuple[Feed, NatsServer]]:
    """With a NATS of the test's own: to be killed, emptied and set back."""
    server = NatsServer(tmp_path / "nats")
    await server.start()
    try:
        async with laid(database, server) as feed:
            yield feed, server
    finally:
        await server.stop()


async def signed_out(feed: Feed, signaller: Signaller, people: int = 3) -> list[UserId]:
    everybody = [await feed.author.user() for _ in range(people)]
    for ada in everybody:
        await feed.author.sign_out(ada)
    await feed.tell(signaller)
    return everybody


async def epoch(feed: Feed) -> int:
    [row] = await feed.query("SELECT epoch FROM signal_classes WHERE class = 'access'")
    return int(row["epoch"])


async def heard(subscriber: Subscriber, *people: UserId) -> None:
    await until(subscriber, lambda: {f"user:{ada}" for ada in people} <= set(subscriber.facts))


async def back(feed: Feed) -> None:
    """Wait until both connections are there again."""
    async with asyncio.timeout(20):
        while not (feed.client.is_connected and feed.ears.is_connected):
            await asyncio.sleep(0.02)


async def test_a_stream_that_was_emptied_gets_all_that_holds_as_another_epoch(feed: Feed) -> None:
    signaller, subscriber = feed.signaller(), feed.subscriber()
    early = await signed_out(feed, signaller)
    await subscriber.start()
    await feed.tell(signaller)
    await feed.ask("STREAM.DELETE.SIG_ACCESS")
    late = await signed_out(feed, signaller)
    await feed.tell(signaller)
    assert await epoch(feed) > 1
    assert await feed.stored() == await feed.rows()
    await until(subscriber, lambda: subscriber.epoch > 1 and subscriber.beats[-1]["state"] == "running")
    await heard(subscriber, *early, *late)
    assert [beat["state"] for beat in feed_states(subscriber)] == ["running", "catching_up", "running"]


async def test_a_stream_that_was_purged_and_keeps_its_end_gets_all_that_holds(feed: Feed) -> None:
    """Who starts then would be ready with nothing, and call itself fresh."""
    signaller = feed.signaller()
    await signed_out(feed, signaller)
    await feed.ask("STREAM.PURGE.SIG_ACCESS")
    assert await feed.stored() == {}
    await feed.tell(signaller)
    assert await epoch(feed) > 1
    assert await feed.stored() == await feed.rows() != {}


async def test_a_stream_in_which_all_has_ended_begins_no_epoch(feed: Feed) -> None:
    signaller = feed.signaller()
    await signed_out(feed, signaller)
    await feed.query("UPDATE live_signals SET until = now() - interval '1 second'")
    await feed.ask("STREAM.PURGE.SIG_ACCESS")
    await feed.tell(signaller)
    assert await epoch(feed) == 1


async def test_a_new_key_signs_all_that_holds_anew(feed: Feed) -> None:
    """A subscriber of these tests knows one key, and fails where it meets another."""
    signaller = feed.signaller()
    people = await signed_out(feed, signaller)
    old, before = feed.keyring.key.kid, await epoch(feed)
    feed.keyring.turn()
    await feed.tell(signaller)
    subscriber = feed.subscriber()
    await subscriber.start()
    await heard(subscriber, *people)
    assert await epoch(feed) > before
    assert feed.keyring.key.kid != old


async def test_a_key_turned_between_two_signatures_leaves_nothing_under_the_old_one(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    signaller = feed.signaller()
    await signed_out(feed, signaller)
    people = [await feed.author.user() for _ in range(3)]
    for ada in people:
        await feed.author.sign_out(ada)
    signed = signaller.sender._signer.sign

    async def turning(body: bytes, place: Place | None = None) -> str:
        token = await signed(body, place)
        monkeypatch.undo()
        feed.keyring.turn()
        return token

    monkeypatch.setattr(signaller.sender._signer, "sign", turning)
    await feed.tell(signaller)
    await feed.tell(signaller)
    subscriber = feed.subscriber()
    await subscriber.start()
    await heard(subscriber, *people)


def feed_states(subscriber: Subscriber) -> list[dict[str, str]]:
    """The states that heartbeats told, each once as long as it lasted."""
    states: list[dict[str, str]] = []
    for beat in subscriber.beats:
        if not states or states[-1]["state"] != beat["state"]:
            states.append(dict(beat))
    return states


async def test_an_idle_feed_finds_out_that_its_stream_was_emptied(feed: Feed) -> None:
    signaller = feed.signaller()
    await signed_out(feed, signaller)
    await feed.ask("STREAM.DELETE.SIG_ACCESS")
    await feed.tell(signaller)
    assert await feed.stored() == await feed.rows() != {}


async def test_a_broker_set_back_to_an_older_folder_is_found_out(fragile: tuple[Feed, NatsServer], tmp_path: Path) -> None:
    feed, broker = fragile
    signaller, subscriber = feed.signaller(), feed.subscriber()
    early = await signed_out(feed, signaller)
    await broker.kill()
    shutil.copytree(broker.home / "jetstream", tmp_path / "older")
    await broker.start()
    await back(feed)
    await subscriber.start()
    late = await signed_out(feed, signaller)
    await broker.kill()
    shutil.rmtree(broker.home / "jetstream")
    shutil.copytree(tmp_path / "older", broker.home / "jetstream")
    await broker.start()
    await back(feed)
    last = await signed_out(feed, signaller, 1)
    await feed.tell(signaller)
    assert await epoch(feed) > 1
    assert await feed.stored() == await feed.rows()
    await heard(subscriber, *early, *late, *last)
    newcomer = feed.subscriber()
    await newcomer.start()
    await heard(newcomer, *early, *late, *last)


async def test_the_set_goes_on_while_nats_is_away_and_is_sent_when_it_is_back(fragile: tuple[Feed, NatsServer]) -> None:
    feed, broker = fragile
    signaller, subscriber = feed.signaller(), feed.subscriber()
    await signed_out(feed, signaller)
    await subscriber.start()
    await broker.kill()
    people = [await feed.author.user() for _ in range(30)]
    for ada in people:
        await feed.author.sign_out(ada)
    await feed.sequence()
    while await signaller.folder.step():
        pass
    assert len(await feed.rows()) == 33
    await broker.start()
    await back(feed)
    await feed.tell(signaller)
    await heard(subscriber, *people)
    assert await epoch(feed) == 1
    assert await feed.stored() == await feed.rows()


async def test_what_was_acknowledged_and_not_noted_is_sent_again(feed: Feed) -> None:
    """Killed between the acknowledgement and its note."""
    signaller = feed.signaller()
    await signed_out(feed, signaller)
    await feed.query("UPDATE signal_classes SET sent = 1, sequence = 1")
    again = feed.signaller()
    signaller.folder._lead.held = False
    await feed.query("UPDATE signal_feed SET leased_until = '-infinity'")
    await signed_out(feed, again, 1)
    assert await epoch(feed) == 1
    assert await feed.stored() == await feed.rows()


async def test_a_database_that_lost_what_was_told_begins_another_epoch_without_it(feed: Feed) -> None:
    """A failover to a standby that was behind: services were told what it has forgotten."""
    signaller = feed.signaller()
    ada, *_ = await signed_out(feed, signaller)
    signer = SignalSigner(feed.keyring, ISSUER)
    [row] = await feed.query("SELECT fact, count FROM live_signals WHERE subject = $1", f"sig.v1.access.user.{ada}")
    body = msgspec.json.decode(row["fact"])
    ghost = msgspec.json.encode({**body, "jti": str(UUID(int=0)), "minos": {**body["minos"], "id": "ghost"}})
    for count in (3, 9):  # one under a number that something else has now, and one of which nothing is known
        told = await signer.sign(ghost, Place(of_class="access", epoch=await epoch(feed), count=count))
        await feed.client.request("sig.v1.access.user.ghost", told.encode(), timeout=5)
        assert await feed.stored() != await feed.rows()
        before, again = await epoch(feed), feed.signaller()
        feed.signallers[-2].folder._lead.held = False
        await feed.query("UPDATE signal_feed SET leased_until = '-infinity'")
        await feed.tell(again)
        assert await epoch(feed) > before
        assert await feed.stored() == await feed.rows()


async def test_a_new_epoch_of_the_log_is_one_of_every_class(feed: Feed) -> None:
    signaller = feed.signaller()
    await feed.author.audience("shop")
    await feed.author.role("editor", "shop.read")
    await signed_out(feed, signaller)
    await another_epoch(feed.database.owner_url)
    await feed.tell(signaller)
    assert all(row["epoch"] > 1 and row["resend_to"] == 0 for row in await feed.query("SELECT epoch, resend_to FROM signal_classes"))
    assert await feed.stored() == await feed.rows()
    await feed.author.role("editor", "shop.write")
    await feed.tell(signaller)
    (role_map,) = (await feed.rows("roles.shop")).values()
    assert role_map["version"] >> 40 == 2


async def test_an_event_that_nobody_can_read_halts_the_feed_and_services_are_told(feed: Feed) -> None:
    signaller, subscriber = feed.signaller(), feed.subscriber()
    await feed.tell(signaller)
    await subscriber.start()
    await feed.tell(signaller)
    ada = await feed.author.user()
    await feed.author.write_raw(f"user-{ada}", broken_event("user.of_the_future.v1"))
    [committed] = await feed.query("SELECT clock_timestamp() AS at")
    await feed.author.sign_out(await feed.author.user())
    await feed.sequence()
    stop = asyncio.Event()
    running = asyncio.create_task(signaller.run(stop))
    await until(subscriber, lambda: len(subscriber.beats) > 1 and subscriber.beats[-1]["state"] == "halted")
    assert subscriber.beats[-1]["complete_to"] < committed["at"].timestamp() * 1_000_000
    assert await feed.rows() == {}
    assert [row["status"] for row in await feed.query("SELECT status FROM projection_state WHERE name = 'signals'")] == ["halted"]
    assert any(state.halted and "user.of_the_future.v1" in state.halted for state in feed.folded)
    stop.set()
    signaller.hint.set()
    await running


async def test_two_signallers_send_each_signal_once_and_one_follows_the_other(feed: Feed) -> None:
    both, stops = [feed.signaller(), feed.signaller()], [asyncio.Event(), asyncio.Event()]
    subscriber = feed.subscriber()
    await subscriber.listen()
    running = [asyncio.create_task(each.run(stop)) for each, stop in zip(both, stops, strict=True)]
    people, leader = [await feed.author.user() for _ in range(10)], 0
    for number, ada in enumerate(people):
        await feed.author.sign_out(ada)
        await feed.sequence()
        if number == 4:
            await until(subscriber, lambda: len(subscriber.facts) == 5)
            leader = next(n for n in range(2) if both[n].folder._lead.held)
            stops[leader].set()
            await running[leader]
        for each in both:
            each.hint.set()
    await heard(subscriber, *people)
    assert (await feed.stream())["state"]["last_seq"] == 10
    assert await epoch(feed) == 1
    assert subscriber.holes == 0
    stops[1 - leader].set()
    both[1 - leader].hint.set()
    await running[1 - leader]


async def test_a_writer_that_another_one_overtook_changes_nothing(feed: Feed) -> None:
    """Both believe that they lead: one was asleep."""
    first, second = feed.signaller(), feed.signaller()
    await signed_out(feed, first)
    second.folder._lead.held = True
    second.folder._lead.holder = first.folder._lead.holder
    await signed_out(feed, second)
    await signed_out(feed, first)
    await feed.tell(second)
    assert await epoch(feed) == 1
    assert await feed.stored() == await feed.rows()


@pytest.mark.parametrize(
    ("halted", "there", "condition"), [("unknown", False, "halted"), (None, False, "waiting"), (None, True, "running")]
)
def test_readiness_is_red_while_the_feed_is_halted_or_nats_away(halted: str | None, there: bool, condition: str) -> None:
    watch = Watch()
    watch.reached(there)
    watch.folded(Folded(1, 0, 0, halted=halted))
    (status,) = (each for each in worker_status() if each.worker == "signaller")
    assert status.condition == condition
