"""What happens reaches whoever listens, and the stream is what the table is, which is what the log says."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import pytest

from domain.session_events import EndReason
from tests.signals.conftest import LIFE, Feed
from tests.signals.histories import some_history
from tests.signals.subscriber import Fact, merged, until


async def test_each_way_a_session_can_end_reaches_a_subscriber(feed: Feed) -> None:
    signaller, subscriber = feed.signaller(), feed.subscriber()
    await feed.tell(signaller)
    await subscriber.start()
    ada = await feed.author.user()
    ended = {reason: await feed.author.session(ada) for reason in EndReason}
    for reason, session_id in ended.items():
        await (feed.author.reuse(session_id, ada) if reason is EndReason.REFRESH_REUSED else feed.author.revoke(session_id, ada, reason))
    await feed.tell(signaller)
    await until(subscriber, lambda: len(subscriber.beats) > 0 and len(subscriber.facts) == len(EndReason))
    assert {f"session:{session_id}" for session_id in ended.values()} == set(subscriber.facts)
    assert subscriber.holes == 0
    assert subscriber.count == len(EndReason)


async def test_signing_out_everywhere_and_in_again_at_once_can_be_told_apart(feed: Feed) -> None:
    """threats.md 8: a token of the epoch before is refused and one of the new epoch is not, whatever their times."""
    signaller, subscriber = feed.signaller(), feed.subscriber()
    await subscriber.listen()
    ada = await feed.author.user()
    before = feed.author.epoch(ada)
    await feed.author.sign_out(ada)
    after = feed.author.epoch(ada)
    await feed.author.session(ada)
    await feed.tell(signaller)
    await until(subscriber, lambda: f"user:{ada}" in subscriber.facts)
    known = subscriber.facts[f"user:{ada}"]["epoch"]
    assert before < known <= after


@pytest.mark.parametrize("swapped", [False, True], ids=["listens first", "reads first"])
async def test_whoever_listens_first_and_reads_then_misses_nothing(feed: Feed, swapped: bool) -> None:
    """And whoever does it the other way round does: this test would notice."""
    signaller, subscriber, told = feed.signaller(), feed.subscriber(), asyncio.Event()
    await feed.tell(signaller)
    subscriber.swapped = swapped
    starting = asyncio.create_task(subscriber.start(told))
    ada = await feed.author.user()
    await asyncio.sleep(0.05)
    await feed.author.sign_out(ada)
    await feed.tell(signaller, beat=False)
    told.set()
    await starting
    assert (f"user:{ada}" in subscriber.facts) is not swapped


async def every_class(feed: Feed) -> Sequence[str]:
    return [row["class"] for row in await feed.query("SELECT class FROM signal_classes ORDER BY class")]


async def folded_anew(feed: Feed) -> dict[str, dict[str, Any]]:
    """What one fold of the whole log makes of it now."""
    await feed.query("DELETE FROM projection_state WHERE name = 'signals'")
    await feed.query("DELETE FROM live_signals")
    await feed.query("DELETE FROM live_service_tokens")
    await feed.query("DELETE FROM signal_classes WHERE class <> 'access'")
    await feed.query("UPDATE signal_feed SET life = 0, leased_until = '-infinity'")
    folder = feed.signaller().folder
    await folder._outbox.begin()
    while await folder.step():
        pass
    return {name: await feed.rows(name) for name in await every_class(feed)}


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_stream_is_the_table_and_the_table_a_fold_of_the_log(feed: Feed, seed: int) -> None:
    signaller, chance = feed.signaller(), random.Random(seed)
    await some_history(feed.author, chance, 25)
    await feed.tell(signaller)
    await some_history(feed.author, chance, 60)
    await feed.tell(signaller, beat=False)
    await feed.tell(signaller)
    table = {name: await feed.rows(name) for name in await every_class(feed)}
    assert len(table) > 1
    assert len(table["access"]) > 10
    assert {name: await feed.stored(name) for name in table} == table
    assert await folded_anew(feed) == table


async def test_facts_in_any_order_and_number_come_to_the_same(feed: Feed) -> None:
    """Hints are lost, doubled and reordered; live copies come beside what is read."""
    signaller, subscriber, said = feed.signaller(), feed.subscriber(), list[Fact]()
    keep = subscriber._merge
    subscriber._merge = lambda token: (said.append(token["minos"]), keep(token))[1]  # type: ignore[method-assign]
    await feed.tell(signaller)
    await subscriber.start()
    ada = await feed.author.user()
    for act in (feed.author.sign_out, feed.author.suspend, feed.author.reinstate, feed.author.change_password):
        await act(ada)
        await feed.tell(signaller, beat=False)
    await until(subscriber, lambda: len(said) == 4)
    for seed in range(20):
        chance = random.Random(seed)
        known: Fact | None = None
        for fact in chance.sample([*said, *chance.choices(said, k=3)], k=7):
            known = merged(known, fact)
        assert known is not None
        assert known["epoch"] == feed.author.epoch(ada)


async def test_messages_end_with_what_they_tell_of_and_a_role_s_meaning_does_not(feed: Feed) -> None:
    signaller = feed.signaller()
    ada = await feed.author.user()
    session_id = await feed.author.session(ada)
    await feed.author.audience("shop")
    await feed.author.role("editor", "shop.read")
    await feed.author.grant(ada, "editor")
    await feed.author.revoke(session_id, ada)
    await feed.author.revoke_token(seconds=-59)
    await feed.tell(signaller)
    message = await feed.ask("STREAM.MSG.GET.SIG_ACCESS", {"last_by_subj": f"sig.v1.access.session.{session_id}"})
    assert _ttl(message) in range(LIFE + 50, LIFE + 62)
    roles = await feed.ask("STREAM.MSG.GET.SIG_ROLES_shop", {"last_by_subj": f"sig.v1.roles.shop.{ada}"})
    assert _ttl(roles) in range(LIFE + 50, LIFE + 62)
    assert _ttl(await feed.ask("STREAM.MSG.GET.SIG_ROLES_shop", {"last_by_subj": "sig.v1.role_map.shop.editor"})) is None
    async with asyncio.timeout(10):
        while (await feed.stream())["state"]["messages"] != 1:
            await asyncio.sleep(0.1)


def _ttl(message: dict[str, Any]) -> int | None:
    from base64 import b64decode

    lines = b64decode(message["message"]["hdrs"]).decode().split("\r\n")
    return next((int(line.partition(": ")[2]) for line in lines if line.startswith("Nats-TTL")), None)


async def test_the_longest_life_ever_in_force_is_what_a_revocation_outlives(feed: Feed) -> None:
    signaller = feed.signaller()
    await feed.author.audience("slow", ttl=3_000)
    ada = await feed.author.user()
    await feed.author.sign_out(ada)
    await feed.tell(signaller)
    (fact,) = (await feed.rows()).values()
    (told,) = await feed.query("SELECT recorded_at FROM events WHERE type = 'user.signed_out_everywhere.v1'")
    assert fact["until"] - told["recorded_at"].timestamp() > 3_000


async def test_a_life_that_is_set_elsewhere_counts_before_any_event_shows_it(feed: Feed) -> None:
    """As by a process of the API with other settings, whose first token comes of a proof and not of a sign-in."""
    signaller, ada = feed.signaller(), await feed.author.user()
    await feed.tell(signaller)
    await feed.query("UPDATE signal_feed SET life = 3000")
    await feed.author.sign_out(ada)
    await feed.tell(signaller, beat=False)
    [fact] = (await feed.rows()).values()
    [now] = await feed.query("SELECT extract(epoch FROM clock_timestamp())::bigint AS seconds")
    assert fact["until"] - now["seconds"] > 2_990


async def test_a_class_stays_silent_of_roles_to_machines(feed: Feed) -> None:
    await feed.author.audience("machines", people=False)
    await feed.author.role("editor", "shop.read")
    await feed.author.grant(await feed.author.user(), "editor")
    await feed.tell(feed.signaller())
    assert list(await every_class(feed)) == ["access", "roles.machines"]
    assert await feed.stored("roles.machines") == {}
