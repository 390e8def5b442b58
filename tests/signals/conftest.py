"""A log, a broker of the tests' own, and what tells of the one over the other."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from nats.aio.client import Client

from adapters.embedded_nats import NatsServer
from adapters.event_store import PostgresEventStore
from adapters.jetstream import NotTheEnd, StreamAway
from adapters.nats_client import NatsConnection
from adapters.signal_sets import SignalSigner
from adapters.signal_stream import stream_name
from tests.conftest import Database
from tests.signals.author import Author
from tests.signals.one_key import ISSUER, OneKey
from tests.signals.subscriber import Subscriber
from workers.sequencer import Sequencer
from workers.signals.folder import Folded
from workers.signals.sender import Sent
from workers.signals.signaller import Signaller

LIFE = 300


@dataclass
class Feed:
    """From the append to the subscriber."""

    database: Database
    store: PostgresEventStore
    sequencer: Sequencer
    client: Client
    ears: Client
    """Of a connection of its own: nobody hears what they say themselves."""
    keyring: OneKey
    author: Author
    signallers: list[Signaller] = field(default_factory=list)
    folded: list[Folded] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)

    def signaller(self) -> Signaller:
        """Make another; it is closed with the feed."""
        signer = SignalSigner(self.keyring, ISSUER)
        made = Signaller(
            self.database.app_url, self.client, self.store, signer, life=LIFE, folded=self.folded.append, sent=self.sent.append
        )  # fmt: skip
        self.signallers.append(made)
        return made

    def subscriber(self, of_class: str = "access", client: Client | None = None) -> Subscriber:
        assert isinstance(self.keyring.public, EllipticCurvePublicKey)
        return Subscriber(client or self.ears, self.keyring.public, of_class)

    async def sequence(self) -> int:
        """Give positions to all there is; the log's size then."""
        size = 0
        while (step := await self.sequencer.step()) is not None:
            size = step.size
            if not step.added:
                break
        return size

    async def tell(self, signaller: Signaller, *, beat: bool = True) -> None:
        """Let it tell all there is, once."""
        await self.sequence()
        await signaller.folder._outbox.begin()
        if beat or not signaller.folder._lead.held:
            await signaller.folder.beat()
        while await signaller.folder.step():
            pass
        if beat:
            await signaller.folder.beat()
        await self.send(signaller)

    async def send(self, signaller: Signaller) -> None:
        async with asyncio.timeout(20):
            while True:
                try:
                    if not await signaller.sender.step():
                        await signaller.sender.noted()
                        return
                except (NotTheEnd, StreamAway):
                    await asyncio.sleep(0.02)

    async def ask(self, what: str, question: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = await self.client.request(f"$JS.API.{what}", msgspec.json.encode(question or {}), timeout=5)
        return msgspec.json.decode(answer.data, type=dict[str, Any])

    async def rows(self, of_class: str = "access") -> dict[str, dict[str, Any]]:
        """The set in Postgres, as facts by subject."""
        rows = await self.query("SELECT subject, fact FROM live_signals WHERE class = $1 AND coalesce(until > now(), true)", of_class)
        return {row["subject"]: msgspec.json.decode(row["fact"])["minos"] for row in rows}

    async def stored(self, of_class: str = "access") -> dict[str, dict[str, Any]]:
        """The set in NATS, as facts by subject."""
        reader = self.subscriber(of_class)
        await reader.read()
        return {_subject(fact): dict(fact) for fact in reader.facts.values()}

    async def query(self, sql: str, *arguments: object) -> Sequence[asyncpg.Record]:
        connection = await asyncpg.connect(self.database.superuser_url)
        try:
            return await connection.fetch(sql, *arguments)
        finally:
            await connection.close()

    async def stream(self, of_class: str = "access") -> dict[str, Any]:
        return await self.ask(f"STREAM.INFO.{stream_name(of_class)}")


def _subject(fact: Any) -> str:
    if fact["kind"] in ("roles", "role_map"):
        return f"sig.v1.{fact['kind']}.{fact['audience']}.{fact['id']}"
    return f"sig.v1.access.{fact['kind']}.{fact['id']}"


@asynccontextmanager
async def laid(database: Database, nats: NatsServer) -> AsyncGenerator[Feed]:
    store, sequencer = PostgresEventStore(database.app_url), Sequencer(database.app_url)
    connection = NatsConnection(nats.url, credentials=nats.credentials)
    await connection.connect()
    listening = NatsConnection(nats.url, credentials=nats.credentials, name="services")
    await listening.connect()
    feed = Feed(database, store, sequencer, connection.client, listening.client, OneKey(), Author(store))
    try:
        yield feed
    finally:
        for signaller in feed.signallers:
            with suppress(Exception):
                await signaller.close()
        await connection.close()
        await listening.close()
        await sequencer.close()
        await store.close()


@pytest.fixture(scope="session")
async def broker(servers_folder: Path) -> AsyncIterator[NatsServer]:
    """A NATS for signals alone: their streams have one name each."""
    server = NatsServer(servers_folder / "signals-nats")
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@pytest.fixture
async def feed(database: Database, broker: NatsServer) -> AsyncIterator[Feed]:
    async with laid(database, broker) as feed:
        names = (await feed.ask("STREAM.NAMES")).get("streams") or []
        for name in names:
            await feed.ask(f"STREAM.DELETE.{name}")
        yield feed
