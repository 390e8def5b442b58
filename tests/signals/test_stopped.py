"""What somebody with rights at Minos could do so that services hear of nothing any more; and that they still do."""

from typing import Any

import pytest
from nats.errors import OutboundBufferLimitError

from adapters.jetstream import StreamAway
from adapters.signal_stream import LIVE
from commands.ports import Heads
from domain.errors import StoreUnavailable
from domain.ids import RoleName
from domain.user_events import RoleGranted
from tests.signals.author import now
from tests.signals.conftest import Feed
from tests.signals.subscriber import until
from tests.store.sequencing import another_epoch
from workers.signals import sender, telling


async def test_who_holds_a_thousand_roles_does_not_stop_the_feed(feed: Feed) -> None:
    """Nobody could use such a token: it counts without any role. What else happens is told."""
    signaller = feed.signaller()
    await feed.author.audience("shop")
    ada = await feed.author.user()
    names = [f"{number:064d}" for number in range(1_000)]
    granted = [RoleGranted(user_id=ada, role=RoleName(name), roles_version=2 + n, at=now()) for n, name in enumerate(names)]
    await feed.author.of_user(ada, *granted)
    await feed.author.sign_out(ada)
    await feed.tell(signaller)
    assert f"sig.v1.access.user.{ada}" in await feed.stored()
    told = (await feed.stored("roles.shop"))[f"sig.v1.roles.shop.{ada}"]
    assert (told["roles"], told["version"]) == ([], 1_001)


async def test_thousands_of_roles_at_hundreds_of_audiences_do_not_stop_the_feed(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    """One page of the log would tell more than a transaction takes in before its time is up: it is taken in bit by bit."""
    monkeypatch.setattr(telling, "MOST_ROWS", 10)
    signaller = feed.signaller()
    for number in range(4):
        await feed.author.audience(f"shop-{number}")
    for number in range(9):
        await feed.author.role(f"role-{number}", "shop.read")
    ada = await feed.author.user()
    await feed.author.sign_out(ada)
    await feed.tell(signaller)
    assert max(state.rows for state in feed.folded) <= 10 + 9
    assert {len(await feed.stored(f"roles.shop-{number}")) for number in range(4)} == {9}
    assert f"sig.v1.access.user.{ada}" in await feed.stored()


async def test_what_a_role_gave_in_a_history_that_was_lost_it_gives_nowhere_any_more(feed: Feed) -> None:
    """A database set back to an old backup has positions that are lower than those services know."""
    signaller, service = feed.signaller(), feed.subscriber("roles.shop")
    await feed.author.audience("shop")
    await feed.author.role("clerk", "shop.read")
    await feed.tell(signaller)
    await service.start()
    lost = dict(service.facts["role_map:shop:clerk"]) | {"permissions": ["shop.read", "shop.refund"], "version": (1 << 40) + 1_000}
    service.facts["role_map:shop:clerk"] = lost
    await another_epoch(feed.database.owner_url)
    await feed.tell(signaller)
    await until(service, lambda: service.facts["role_map:shop:clerk"] != lost)
    assert service.facts["role_map:shop:clerk"]["permissions"] == ["shop.read"]


async def test_a_database_that_is_away_halts_nothing(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Halted is for what no later try can tell: whoever is called at night for it would find nothing."""
    signaller = feed.signaller()
    await feed.tell(signaller)
    await feed.author.sign_out(await feed.author.user())
    await feed.sequence()

    async def away(_: object) -> Heads:
        raise StoreUnavailable

    monkeypatch.setattr(feed.store, "load", away)
    with pytest.raises(StoreUnavailable):
        await signaller.folder.step()


async def test_roles_at_hundreds_of_audiences_do_not_hold_up_who_is_signed_out(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    """One grant is a message for each audience: between any of them there is room for what ends access, and each has its turn."""
    signaller = feed.signaller()
    for number in range(6):
        await feed.author.audience(f"shop-{number}")
    await feed.tell(signaller)
    monkeypatch.setattr(sender, "PATIENCE_SECONDS", 0.0)
    ada = await feed.author.user()
    await feed.author.grant(ada, "clerk")
    await feed.author.sign_out(ada)
    await feed.sequence()
    await signaller.folder.step()
    feed.sent.clear()
    await feed.send(signaller)
    served = [state.of_class for state in feed.sent if state.count]
    assert served[0] == "access"
    assert sorted(served[1:]) == [f"roles.shop-{number}" for number in range(6)]
    assert [state.of_class for state in feed.sent].count("access") > 3
    assert {len(await feed.stored(f"roles.shop-{number}")) for number in range(6)} == {1}


async def test_a_connection_that_takes_no_more_in_is_waited_out(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is on disk already is noted by nobody, and sent again: the worker need not begin anew for it, with ever longer pauses."""
    signaller = feed.signaller()
    await feed.tell(signaller)
    ada = await feed.author.user()
    await feed.author.sign_out(ada)
    await feed.sequence()
    await signaller.folder.step()

    publish = feed.client.publish

    async def full(subject: str, *more: Any, **named: Any) -> None:
        if subject.startswith(LIVE):
            raise OutboundBufferLimitError
        await publish(subject, *more, **named)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(feed.client, "publish", full)
        with pytest.raises(StreamAway):
            await signaller.sender.step()
    await feed.send(signaller)
    assert f"sig.v1.access.user.{ada}" in await feed.stored()
