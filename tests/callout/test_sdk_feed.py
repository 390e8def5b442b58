"""The SDK's feed over a real NATS, let in by the token of a service account; what is told is signed by keys of the test's own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from adapters.embedded_nats import NatsServer
from adapters.nats_callout import Callout
from adapters.nats_client import NatsConnection, settled
from adapters.secret import Secret
from api.callout import Answering
from domain.ids import ClientId
from minos_sdk import CallRefused, NatsFeed, Revoked, Verifier
from minos_sdk.key_cache import FixedKeys
from minos_sdk.ports import SystemClock
from minos_sdk.testing import SignalFactory, SigningKey, TokenFactory, key_set
from minos_sdk.testing.signals import class_of
from tests.callout.conftest import Authority, Enter

ISSUER = "https://auth.test"
UNTIL = 4_000_000_000
CLASSES = ("access", "roles.shop")
STREAMS = ("SIG_ACCESS", "SIG_ROLES_shop")


@dataclass
class Source:
    """Tokens of a service account for NATS, and for nobody else: it hears what NATS says, and has nothing to compare it with."""

    authority: Authority
    client_id: ClientId
    ttl: int = 300
    given: int = 0

    async def token(self, audience: str) -> str:
        if audience != "nats":
            raise CallRefused(400, "invalid_target", "The account has no such audience.")
        self.given += 1
        return await self.authority.token(self.client_id, ttl=self.ttl)


@dataclass
class Teller:
    """What Minos does: sends to the stream, then a live copy, and heartbeats."""

    authority: Authority
    clock: SystemClock = field(default_factory=SystemClock)
    key: SigningKey = field(default_factory=SigningKey.new)
    epoch: int = 1
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CLASSES, 0))
    sequences: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CLASSES, 0))

    def __post_init__(self) -> None:
        self.signals = SignalFactory(issuer=ISSUER, key=self.key, clock=self.clock)

    async def tell(self, fact: dict[str, Any], *, live: bool = True) -> None:
        of_class = class_of(fact)
        self.counts[of_class] += 1
        signed = self.signals.signal(fact, count=self.counts[of_class], epoch=self.epoch).encode()
        name = f"{subject(fact)}"
        ack = await self.authority.minos.jetstream().publish(f"sig.v1.{name}", signed)
        self.sequences[of_class] = ack.seq
        if live:
            await self.authority.minos.publish(f"live.v1.{name}", signed)

    async def hint(self, fact: dict[str, Any]) -> None:
        await self.authority.minos.publish(f"hint.v1.{subject(fact)}", self.signals.signal(fact).encode())

    async def beat(self) -> None:
        for of_class in CLASSES:
            beat = self.signals.heartbeat(
                of_class, count=self.counts[of_class], epoch=self.epoch, sequence=self.sequences[of_class], at=self.clock.time()
            )
            await self.authority.minos.publish(f"live.v1.{of_class}.heartbeat", beat.encode())
        await settled(self.authority.minos)


def subject(fact: dict[str, Any]) -> str:
    of = f"{fact['kind']}.{fact['audience']}" if "audience" in fact else f"access.{fact['kind']}"
    return f"{of}.{fact['id']}"


def ended(session_id: str) -> dict[str, Any]:
    return {"kind": "session", "id": session_id, "until": UNTIL}


@dataclass
class Service:
    teller: Teller
    source: Source
    verifier: Verifier
    tokens: TokenFactory

    async def until(self, happened: Callable[[], object]) -> None:
        """Beat as Minos does, only sooner, until something happened."""
        async with asyncio.timeout(20):
            while not happened():
                await self.teller.beat()
                await asyncio.sleep(0.02)

    async def until_refused(self, token: str) -> None:
        """Without a heartbeat that could help."""
        async with asyncio.timeout(10):
            with suppress(Revoked):
                while True:
                    self.verifier.check(token)
                    await asyncio.sleep(0.005)

    def count(self, what: str) -> float:
        return self.verifier.metrics().get(f"signals_{what}", 0)


@pytest.fixture
async def teller(authority: Authority) -> Teller:
    for stream in STREAMS:
        await authority.minos.jetstream().purge_stream(stream)
    return Teller(authority)


@pytest.fixture
async def service(authority: Authority, teller: Teller) -> AsyncIterator[Service]:
    client_id = await authority.service("minos.signals.access", "minos.signals.roles.shop")
    source, key = Source(authority, client_id), SigningKey.new()
    verifier = Verifier(
        issuer=ISSUER,
        audience="shop",
        feed=NatsFeed(authority.server.url, source),
        keys=FixedKeys(key_set(key)),
        signal_keys=FixedKeys(key_set(teller.key)),
    )
    tokens = TokenFactory(issuer=ISSUER, audience="shop", key=key, clock=teller.clock)
    yield Service(teller, source, verifier, tokens)
    await verifier.close()


async def test_what_was_told_before_is_known_at_the_start(service: Service) -> None:
    for number in range(600):
        await service.teller.tell(ended(f"s{number}"), live=False)
    await service.teller.tell({"kind": "role_map", "audience": "shop", "id": "clerk", "permissions": ["a.read"], "version": 1})
    await service.verifier.start(wait=0)
    assert not service.verifier.ready()
    await service.until(service.verifier.ready)
    with pytest.raises(Revoked):
        service.verifier.check(service.tokens.user(sid="s0"))
    assert service.verifier.check(service.tokens.user(roles=["clerk"])).permissions == {"a.read"}
    assert service.verifier.metrics()["entries_session"] == 600


async def started(service: Service) -> Service:
    await service.verifier.start(wait=0)
    await service.until(service.verifier.ready)
    return service


async def test_a_live_copy_is_enough(service: Service) -> None:
    await started(service)
    token = service.tokens.user(sid="live")
    assert service.verifier.check(token)
    await service.teller.tell(ended("live"))
    await service.until_refused(token)
    assert service.count("holes") == 0


async def test_a_hint_is_enough(service: Service) -> None:
    await started(service)
    token = service.tokens.user(sid="hinted")
    await service.teller.hint(ended("hinted"))
    await service.until_refused(token)


async def test_lost_copies_are_read_from_the_stream_once_the_next_one_comes(service: Service) -> None:
    await started(service)
    token = service.tokens.user(sid="lost")
    await service.teller.tell(ended("lost"), live=False)
    await service.teller.tell(ended("another"))
    await service.until_refused(token)
    assert service.count("holes") == 1


async def test_lost_copies_are_read_from_the_stream_once_a_heartbeat_tells_of_them(service: Service) -> None:
    await started(service)
    token = service.tokens.user(sid="lost")
    await service.teller.tell(ended("lost"), live=False)
    await service.teller.beat()
    await service.until_refused(token)


async def test_a_stream_that_began_anew_is_read_from_its_beginning_and_nothing_is_forgotten(service: Service) -> None:
    await started(service)
    teller, before, after = service.teller, service.tokens.user(sid="before"), service.tokens.user(sid="after")
    for _ in range(5):
        await teller.tell(ended("before"))
    await service.until_refused(before)
    access = service.verifier.receiver.classes["access"]
    known = access.advanced_at
    await service.until(lambda: access.advanced_at > known)
    jetstream = teller.authority.minos.jetstream()
    config = (await jetstream.stream_info("SIG_ACCESS")).config
    await jetstream.delete_stream("SIG_ACCESS")
    await jetstream.add_stream(config)
    teller.epoch, teller.counts["access"] = 2, 0
    await teller.tell(ended("after"), live=False)
    assert teller.sequences["access"] == 1
    await service.until(lambda: service.verifier.metrics()["entries_session"] == 2)
    with pytest.raises(Revoked):
        service.verifier.check(after)
    with pytest.raises(Revoked):
        service.verifier.check(before)


async def test_a_new_connection_is_there_before_the_token_ends_and_nothing_is_missed(service: Service) -> None:
    service.source.ttl = 3
    await started(service)
    told = 0

    async def on() -> None:
        nonlocal told
        told += 1
        await service.teller.tell(ended(f"r{told}"))

    async with asyncio.timeout(20):
        while service.count("connections") < 3:
            await on()
            await service.teller.beat()
            await asyncio.sleep(0.02)
            assert service.verifier.freshness.state == "fresh"
    await service.until(lambda: service.verifier.metrics()["entries_session"] == told)
    assert service.count("connections_failed") == service.count("connections_lost") == 0
    assert len([task for task in asyncio.all_tasks() if "Connection._read" in repr(task)]) == len(CLASSES)


async def test_attack_forged_signals_change_nothing_and_are_counted(service: Service) -> None:
    """As if the broker were the attacker's: a SET by another key, an access token as a SET, and one of another issuer."""
    await started(service)
    minos, token = service.teller.authority.minos, service.tokens.user(sid="innocent")
    forger = SignalFactory(issuer=ISSUER, key=SigningKey.new(kid=service.teller.key.kid), clock=service.teller.clock)
    stranger = SignalFactory(issuer="https://other.test", key=service.teller.key, clock=service.teller.clock)
    for text in (forger.signal(ended("innocent")), stranger.signal(ended("innocent")), token, "garbage"):
        await minos.publish("hint.v1.access.session.innocent", text.encode())
    await service.until(
        lambda: sum(service.count(f"dropped_{why}") for why in ("signature", "issuer", "type", "malformed", "unknown_key")) == 4
    )
    assert service.verifier.check(token)


async def test_attack_heartbeats_said_again_make_nobody_fresh(service: Service) -> None:
    await started(service)
    teller, minos = service.teller, service.teller.authority.minos
    old = teller.signals.heartbeat("access", count=0, at=teller.clock.time() - 1)
    advanced = service.verifier.receiver.classes["access"].advanced_at
    heard = uuid4().hex
    for _ in range(5):
        await minos.publish("live.v1.access.heartbeat", old.encode())
    await minos.publish(f"hint.v1.access.session.{heard}", teller.signals.signal(ended(heard)).encode())
    await service.until_refused(service.tokens.user(sid=heard))
    assert service.verifier.receiver.classes["access"].advanced_at == advanced


async def test_attack_a_broker_that_puts_something_else_in_a_signals_place(service: Service) -> None:
    """What does not verify stands for what was there before: a verifier that starts cannot know what, and is never ready."""
    forger = SignalFactory(issuer=ISSUER, key=SigningKey.new(kid=service.teller.key.kid), clock=service.teller.clock)
    jetstream = service.teller.authority.minos.jetstream()
    await jetstream.publish("sig.v1.access.session.x", forger.signal(ended("x"), count=1).encode())
    service.teller.counts["access"] = 1
    await service.verifier.start(wait=0)
    await service.until(lambda: service.count("reads") > 10)
    assert not service.verifier.ready()


async def test_attack_a_broker_that_keeps_a_signal_back_is_told_from_one_that_has_none(service: Service) -> None:
    """The heartbeat says how many there are, signed: what does not come leaves the verifier blind, however often it is asked for."""
    await started(service)
    service.teller.counts["access"] += 1
    service.teller.sequences["access"] += 1
    advanced = service.verifier.receiver.classes["access"].advanced_at
    reads = service.count("reads")
    await service.until(lambda: service.count("reads") > reads + 10)
    assert service.verifier.receiver.classes["access"].advanced_at == advanced


async def test_the_newest_signal_may_have_expired_before_a_service_starts(service: Service) -> None:
    service.teller.counts["access"], service.teller.sequences["access"] = 7, 7
    await started(service)


async def counted(verifier: Verifier, what: str) -> None:
    """Wait until it happened, for less than a server waits for an answer."""
    async with asyncio.timeout(4):
        while not verifier.metrics().get(f"signals_{what}"):
            await asyncio.sleep(0.01)


async def test_a_service_that_is_back_before_minos_comes_again_rather_than_wait_for_the_server(
    authority: Authority, teller: Teller, tmp_path: Path
) -> None:
    """After a loss of NATS there may be nobody yet to say who comes: the server would wait for five seconds."""
    server = NatsServer(tmp_path / "nats")
    await server.start()
    minos = NatsConnection(server.url, credentials=server.credentials)
    await minos.connect()
    issuer, xkey = (Secret(path.read_text()) for path in (server.callout_issuer, server.callout_xkey))
    answering = Answering(minos.client, replace(authority.door, wire=Callout(issuer, xkey)))
    feed = NatsFeed(server.url, Source(authority, await authority.service("minos.signals.access", "minos.signals.roles.shop")))
    keys = FixedKeys(key_set(teller.key))
    verifier = Verifier(issuer=ISSUER, audience="shop", feed=feed, keys=keys, signal_keys=keys)
    try:
        await verifier.start(wait=0)
        await counted(verifier, "connections_failed")
        await answering.begin()
        await counted(verifier, "connections")
    finally:
        await verifier.close()
        await answering.close()
        await minos.close()
        await server.kill()


@dataclass
class Keeping(Source):
    """Gives a token that is good no more, until it is told so, as `ServiceTokens` does when a secret was replaced."""

    told: int = 0

    async def token(self, audience: str) -> str:
        if self.told or audience != "nats":
            return await super().token(audience)
        return await self.authority.token(self.client_id, age=400)

    async def renewed(self, audience: str, *, instead_of: str | None = None) -> str:
        assert instead_of is not None
        self.told += 1
        return await self.token(audience)


async def test_a_service_whose_token_was_taken_back_asks_for_another(service: Service) -> None:
    source = Keeping(service.source.authority, service.source.client_id)
    service.verifier.feed = NatsFeed(service.source.authority.server.url, source)
    await started(service)
    assert source.told == 1


async def test_what_another_service_has_sent_here_is_dropped_unread(authority: Authority, service: Service, enter: Enter) -> None:
    """It may read the same signals, and names our subject as where the answer is to go."""
    await started(service)
    await service.teller.tell(ended("stored"))
    hostile = await authority.service("minos.signals.access")
    entered = await enter(name=hostile, token=await authority.token(hostile))
    await service.until(lambda: service.count("merged"))
    before = service.count("known_already")
    for way in ("live", "hint"):
        asked = b'{"last_by_subj":"sig.v1.access.session.stored"}'
        await entered.client.publish("$JS.API.DIRECT.GET.SIG_ACCESS", asked, reply=f"{way}.v1.access.session.stored")
    await entered.settled()
    token = service.tokens.user(sid="after")
    await service.teller.tell(ended("after"))
    await service.until_refused(token)
    assert service.count("known_already") == before
