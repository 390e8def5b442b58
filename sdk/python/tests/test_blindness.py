"""Knowing that one does not know, and what each policy makes of it."""

import asyncio
import logging
import time
from collections.abc import Mapping
from functools import partial

import httpx
import pytest

from minos_sdk import (
    REFUSE,
    AcceptUntil,
    Blind,
    CallRefused,
    ExpiredToken,
    Introspect,
    NatsFeed,
    Revoked,
    StaticLogin,
    Verifier,
    standstill,
)
from minos_sdk.facts import SessionEnded
from minos_sdk.ports import SystemClock
from minos_sdk.testing import Authority, SettableClock


async def test_a_clock_that_is_put_right_while_blind_ends_tokens(
    minos_authority: Authority, minos_clock: SettableClock, minos_verifier: Verifier
) -> None:
    """No heartbeat says what time it is meanwhile."""
    token = minos_authority.tokens.user(ttl=60)
    minos_authority.feed.silence()
    minos_clock.advance(5)
    minos_clock.set_back(-85)
    with pytest.raises(ExpiredToken):
        minos_verifier.check(token)


class NoFeed:
    async def run(self, receiver: object, http: object) -> None:
        await asyncio.Event().wait()


async def test_nothing_is_accepted_before_the_first_snapshot_by_any_policy(minos_authority: Authority) -> None:
    """Asking the issuer would not do: what roles give is not known yet, and those who may come in would be told that they may not."""
    verifier = minos_authority.verifier(feed=NoFeed())
    token = minos_authority.tokens.user("u1", jti="t1")
    assert not verifier.ready()
    for policy in (REFUSE, AcceptUntil(3_600), Introspect(Issuer(active=True, sub="u1", aud="test", jti="t1"))):
        with pytest.raises(Blind):
            await verifier.verify(token, on_blind=policy)


async def test_what_keeps_a_verifier_from_being_ready_is_logged(minos_authority: Authority, caplog: pytest.LogCaptureFixture) -> None:
    verifier = minos_authority.verifier(feed=NoFeed())
    verifier.receiver.complete("access", minos_authority.clock.time())
    await verifier.start(wait=0)
    await verifier.close()
    assert "signals of class roles.test were not heard of" in caplog.text
    assert "class access" not in caplog.text


async def test_why_signals_do_not_come_is_logged_once(minos_authority: Authority, caplog: pytest.LogCaptureFixture) -> None:
    """At the level that is on where nobody set one; whoever set the service up wrongly has nothing else to go by."""

    class WrongSecret:
        asked = 0

        async def token(self, audience: str) -> str:
            self.asked += 1
            raise CallRefused(401, "invalid_client", f"No client for {audience}.")

    tokens = WrongSecret()
    verifier = minos_authority.verifier(feed=NatsFeed("nats://127.0.0.1:4222", tokens))
    await verifier.start(wait=0.05)
    async with asyncio.timeout(10):
        while tokens.asked < 3:
            await asyncio.sleep(0.01)
    for name in verifier.receiver.classes:
        verifier.receiver.complete(name, minos_authority.clock.time())
    await verifier.close()
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    why = "no connection to NATS: 401 invalid_client: No client for nats."
    assert said[0] == f"signals do not come: {why}"
    assert said[1].startswith("Minos itself cannot be asked")
    assert said[2].endswith(f"; {why}")
    assert said[3:] == ["signals come again"]


async def test_a_standstill_that_no_feed_notices_is_logged_once(
    minos_authority: Authority, minos_clock: SettableClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As when Minos and NATS are there, and its workers are not: what is heard is old, and counts for nothing."""
    monkeypatch.setattr(standstill, "_LOOK_S", 0.001)
    verifier = minos_authority.verifier()
    await verifier.start()
    told = minos_clock.time()
    minos_authority.feed.silence()
    minos_clock.advance(5)
    async with asyncio.timeout(10):
        while not caplog.messages:
            await asyncio.sleep(0.001)
    for name in verifier.receiver.classes:
        verifier.receiver.complete(name, told)
    await asyncio.sleep(0.01)
    assert caplog.messages == [f"signals do not come: {standstill.WHY}"]
    minos_authority.feed.resume()
    await verifier.close()
    assert caplog.messages[1:] == ["signals come again"]


async def test_nats_that_is_away_and_back_is_logged_where_minos_stands_in(
    minos_authority: Authority, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Door:
        is_open = True
        opened = asyncio.Event()
        refusals = 2

        @classmethod
        async def open(cls, *_: object) -> "Door":
            if cls.refusals:
                cls.refusals -= 1
                raise OSError("nobody there")
            cls.opened.set()
            return cls()

        async def until_due(self) -> None:
            await asyncio.Event().wait()

        async def close(self) -> None: ...

    monkeypatch.setattr("minos_sdk.feeds.nats.Connection", Door)
    verifier = minos_authority.verifier()
    await verifier.start()
    feed = NatsFeed("nats://127.0.0.1:4222", login=StaticLogin("shop", "a password"))
    following = asyncio.create_task(feed.run(verifier.receiver, httpx.AsyncClient()))
    async with asyncio.timeout(10):
        await Door.opened.wait()
    following.cancel()
    await asyncio.wait({following})
    await verifier.close()
    assert caplog.messages == ["no connection to NATS, Minos is asked meanwhile: nobody there", "NATS is there again"]


async def test_an_issuer_by_another_name_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    genuine = Authority(issuer="https://auth.example")
    verifier = Verifier(issuer="https://auth.example/", audience="test", feed=NoFeed(), keys=genuine.keys, signal_keys=genuine.signal_keys)
    assert await verifier.receiver.signal(genuine.signals.heartbeat("access", count=0)) is None
    assert "not called https://auth.example/: it has to be, letter by letter" in caplog.text


async def test_freshness_is_said(minos_authority: Authority, minos_clock: SettableClock, minos_verifier: Verifier) -> None:
    minos_authority.feed.silence()
    states: list[str] = []
    for _ in range(6):
        states.append(minos_verifier.freshness.state)
        minos_clock.advance(1)
    assert states == ["fresh", "fresh", "fresh", "late", "late", "blind"]


async def test_late_counts_as_fresh_and_blind_is_for_the_policy(
    minos_authority: Authority, minos_clock: SettableClock, minos_verifier: Verifier
) -> None:
    token = minos_authority.tokens.user()
    minos_authority.feed.silence()
    minos_clock.advance(4.9)
    assert minos_verifier.check(token, on_blind=REFUSE)
    minos_clock.advance(0.1)
    with pytest.raises(Blind):
        minos_verifier.check(token, on_blind=REFUSE)
    assert minos_verifier.check(token, on_blind=AcceptUntil(10))


async def test_accepting_blindly_ends(minos_authority: Authority, minos_clock: SettableClock, minos_verifier: Verifier) -> None:
    """The default is a minute."""
    token = minos_authority.tokens.user()
    minos_authority.feed.silence()
    minos_clock.advance(60)
    assert minos_verifier.check(token)
    minos_clock.advance(0.1)
    with pytest.raises(Blind):
        minos_verifier.check(token)
    minos_authority.feed.resume()
    assert minos_verifier.check(token)


@pytest.mark.parametrize("age", [float("inf"), float("nan"), -1, 3_601])
def test_there_is_no_policy_that_accepts_for_ever(age: float) -> None:
    with pytest.raises(ValueError, match="needs an end"):
        AcceptUntil(age)


async def test_what_is_known_to_be_revoked_is_refused_however_blind(
    minos_authority: Authority, minos_clock: SettableClock, minos_verifier: Verifier
) -> None:
    token = minos_authority.tokens.user(sid="s1")
    minos_authority.feed.end_session("s1")
    minos_authority.feed.silence()
    minos_clock.advance(30)
    with pytest.raises(Revoked):
        await minos_verifier.verify(token)


class Issuer:
    """Answers introspection with what a test says."""

    def __init__(self, **answer: object) -> None:
        self.answer = answer
        self.asked: list[str] = []

    async def introspect(self, token: str) -> Mapping[str, object]:
        self.asked.append(token)
        if not self.answer:
            raise OSError
        return self.answer


async def test_blind_the_issuer_is_asked_and_its_word_narrows(
    minos_authority: Authority, minos_clock: SettableClock, minos_verifier: Verifier
) -> None:
    minos_authority.feed.define_role("test", "clerk", ["orders.read"])
    token = minos_authority.tokens.user("u1", roles=["admin", "clerk"], jti="t1")
    issuer = Issuer(active=True, sub="u1", aud="test", jti="t1", roles=["clerk", "owner"])
    assert await minos_verifier.verify(token, on_blind=Introspect(issuer))
    assert issuer.asked == []
    minos_authority.feed.silence()
    minos_clock.advance(5)
    identity = await minos_verifier.verify(token, on_blind=Introspect(issuer))
    assert (identity.roles, identity.permissions) == ({"clerk"}, {"orders.read"})
    assert issuer.asked == [token]


async def test_attack_answer_of_the_issuer_that_a_signal_overtook(
    minos_authority: Authority, minos_clock: SettableClock, minos_verifier: Verifier
) -> None:
    token = minos_authority.tokens.user("u1", sid="s1", jti="t1")
    minos_authority.feed.silence()
    minos_clock.advance(5)

    class Overtaken(Issuer):
        async def introspect(self, token: str) -> Mapping[str, object]:
            minos_verifier.receiver.merge(SessionEnded("s1", None))
            return await super().introspect(token)

    with pytest.raises(Revoked):
        await minos_verifier.verify(token, on_blind=Introspect(Overtaken(active=True, sub="u1", aud="test", jti="t1")))


async def test_attack_scope_that_a_service_lost_while_nobody_was_told(
    minos_authority: Authority, minos_clock: SettableClock, minos_verifier: Verifier
) -> None:
    token = minos_authority.tokens.service("billing", permissions=["orders.read", "orders.refund"], jti="t1")
    minos_authority.feed.silence()
    minos_clock.advance(5)
    issuer = Issuer(active=True, sub="billing", aud="test", jti="t1", scope="orders.read stock.read")
    identity = await minos_verifier.verify(token, on_blind=Introspect(issuer))
    assert identity.scopes == identity.permissions == {"orders.read"}


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="only Linux has a clock for that which is no wall clock")
def test_attack_machine_that_slept_takes_what_it_knew_before_for_new() -> None:
    """A laptop, or a virtual machine that was paused: the usual monotonic clock stands still meanwhile."""
    clock = SystemClock().monotonic
    assert isinstance(clock, partial)
    assert (clock.func, clock.args) == (time.clock_gettime, (time.CLOCK_BOOTTIME,))


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        ({"active": False}, Revoked),
        ({"active": "true", "sub": "u1", "aud": "test", "jti": "t1"}, Revoked),
        ({"active": True, "sub": "u2", "aud": "test", "jti": "t1"}, Revoked),
        ({"active": True, "sub": "u1", "aud": "test", "jti": "t2"}, Revoked),
        ({}, Blind),
    ],
    ids=str,
)
async def test_blind_what_the_issuer_does_not_confirm_is_refused(
    minos_authority: Authority, minos_clock: SettableClock, minos_verifier: Verifier, answer: dict[str, object], refusal: type[Exception]
) -> None:
    token = minos_authority.tokens.user("u1", jti="t1")
    minos_authority.feed.silence()
    minos_clock.advance(5)
    with pytest.raises(refusal):
        await minos_verifier.verify(token, on_blind=Introspect(Issuer(**answer)))
