"""A log, and a publisher that sends it to a stream of the test's own."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import msgspec
import pytest
from nats.aio.client import Client

from adapters.embedded_nats import NatsServer
from adapters.event_store import PostgresEventStore
from adapters.nats_client import NatsConnection
from tests.conftest import Database
from tests.projections.histories import Scribe
from workers.publisher import Publisher
from workers.sequencer import Sequencer

_numbers = count(1)


@dataclass
class Line:
    """From the append to the subscriber."""

    scribe: Scribe
    sequencer: Sequencer
    client: Client
    database: Database
    name: str
    root: str
    publishers: list[Publisher] = field(default_factory=list)

    def publisher(self) -> Publisher:
        """Make another; it is closed with the line."""
        self.publishers.append(Publisher(self.database.app_url, self.client, name=self.name, root=self.root))
        return self.publishers[-1]

    async def sent(self, people: int = 1) -> Publisher:
        """Give a publisher that has sent all there is, after so many people more."""
        await self.grow(people)
        publisher = self.publisher()
        await drain(publisher)
        return publisher

    async def grow(self, people: int = 1) -> int:
        """Add two events for each, with their positions; the log's size then."""
        for _ in range(people):
            await self.scribe.user()
        return await self.sequence()

    async def sequence(self) -> int:
        """Give positions to all there is; the log's size then."""
        size = 0
        while (step := await self.sequencer.step()) is not None:
            size = step.size
            if not step.added:
                break
        return size

    async def intrude(self, body: bytes) -> None:
        """Put a message at the stream's end that no publisher sent."""
        await self.client.request(f"{self.root}.v1.user.registered", body, timeout=5)

    async def ask(self, what: str, question: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = await self.client.request(f"$JS.API.{what}", msgspec.json.encode(question or {}), timeout=5)
        return msgspec.json.decode(answer.data, type=dict[str, Any])

    async def last_sequence(self, name: str | None = None) -> int:
        return int((await self.ask(f"STREAM.INFO.{name or self.name}"))["state"]["last_seq"])

    async def message(self, sequence: int, name: str | None = None) -> dict[str, Any]:
        from base64 import b64decode

        answer = await self.ask(f"STREAM.MSG.GET.{name or self.name}", {"seq": sequence})
        body = msgspec.json.decode(b64decode(answer["message"]["data"]), type=dict[str, Any])
        return {"subject": answer["message"]["subject"], **body}


async def drain(publisher: Publisher) -> None:
    while await publisher.step():
        pass


def connection_to(nats: NatsServer) -> NatsConnection:
    return NatsConnection(nats.url, credentials=nats.credentials)


@asynccontextmanager
async def laid(database: Database, nats: NatsServer, name: str, root: str) -> AsyncGenerator[Line]:
    store = PostgresEventStore(database.app_url)
    sequencer = Sequencer(database.app_url)
    connection = connection_to(nats)
    await connection.connect()
    line = Line(Scribe(store), sequencer, connection.client, database, name, root)
    try:
        yield line
    finally:
        for publisher in line.publishers:
            await publisher.close()
        await connection.close()
        await sequencer.close()
        await store.close()


@pytest.fixture
async def line(database: Database, nats_server: NatsServer) -> AsyncIterator[Line]:
    number = next(_numbers)
    async with laid(database, nats_server, f"TEST_{number}", f"test{number}.events") as line:
        yield line
