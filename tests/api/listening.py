"""Listening to an answer that never ends, without a socket; and telling signals without the worker that does."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from msgspec import Struct

from adapters.base64url import from_text
from adapters.jwk import Verifier
from adapters.signal_sets import SignalSigner
from domain.ids import AudienceName, CorrelationId, EventId, RoleName, SessionId, UserId
from domain.signals.facts import ACCESS, Cause, EventType, Fact, RolesFact, SessionFact, Signal, class_of, subject_of
from tests.api.conftest import BASE, Served
from tests.projections.histories import uuid7

NOW = datetime(2026, 11, 26, tzinfo=UTC)
ORDERS = AudienceName("orders")


class Heard(Struct, frozen=True):
    """One event of the stream. `what` is what its SET says, once its signature has been found good."""

    event: str
    id: str | None
    data: str
    what: dict[str, Any]


class Stream:
    """What comes of one open answer. While `is_reading` is clear it takes nothing in."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._parts: asyncio.Queue[bytes] = asyncio.Queue()
        self._text = ""
        self.is_reading = asyncio.Event()
        self.is_reading.set()
        self.gone = asyncio.Event()
        self.start: dict[str, Any] = {}
        self.started = asyncio.Event()
        self.over = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        await self.is_reading.wait()
        if message["type"] == "http.response.start":
            self.start = message
            self.started.set()
        else:
            self._parts.put_nowait(message["body"])
            if not message["more_body"]:
                self.over.set()

    async def next(self, event: str | None = None) -> Heard:
        """Wait for the next event, of one kind where it is given."""
        return await self._heard(await self._fields(event))

    async def token(self, event: str) -> str:
        """As `next`, its data whoever signed it."""
        return (await self._fields(event))["data"]

    async def rest(self) -> str:
        """Take in all that comes until the answer is over."""
        async with asyncio.timeout(10):
            await self.over.wait()
        while not self._parts.empty():
            self._text += self._parts.get_nowait().decode()
        return self._text

    async def _fields(self, event: str | None) -> dict[str, str]:
        async with asyncio.timeout(10):
            while True:
                while "\n\n" not in self._text:
                    self._text += (await self._parts.get()).decode()
                block, _, self._text = self._text.partition("\n\n")
                fields = dict(line.split(": ", 1) for line in block.split("\n"))
                if "event" in fields and event in {None, fields["event"]}:
                    return fields

    async def _heard(self, fields: dict[str, str]) -> Heard:
        of_set = fields["event"] != "end"
        what = await opened(self._served, fields["data"], "secevent+jwt") if of_set else json.loads(fields["data"])
        return Heard(fields["event"], fields.get("id"), fields["data"], what)


async def opened(served: Served, token: str, typ: str) -> dict[str, Any]:
    """Open a JWS that has to be signed by a key of signals, as one that the caller has by the address of their keys."""
    head, payload, signature = token.split(".")
    header = json.loads(from_text(head) or b"")
    assert (header["alg"], header["typ"], set(header)) == ("ES256", typ, {"alg", "typ", "kid"})
    verifier = await served.world.signals_keyring.verifier(header["kid"])
    assert isinstance(verifier, Verifier)
    assert verifier.accepts(f"{head}.{payload}".encode(), from_text(signature) or b"")
    found: dict[str, Any] = json.loads(from_text(payload) or b"")
    return found


@asynccontextmanager
async def listening(served: Served, token: str, query: str = "", *, what: str = "stream", **fields: str) -> AsyncGenerator[Stream]:
    """Open the stream of signals, or another answer that comes in pieces, by its path; the reader leaves in the end."""
    stream = Stream(served)
    answering = asyncio.create_task(served.edge(scope_of(token, query, what=what, **fields), stream.receive, stream.send))
    try:
        async with asyncio.timeout(10):
            await stream.started.wait()
        yield stream
    finally:
        stream.gone.set()
        stream.is_reading.set()
        await asyncio.wait_for(answering, 10)


def scope_of(token: str, query: str = "", *, what: str = "stream", **fields: str) -> dict[str, Any]:
    path = what if what.startswith("/") else f"/api/v1/signals/{what}"
    given = {"host": BASE.removeprefix("http://"), "authorization": f"Bearer {token}", **fields}
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http", "path": path,
        "raw_path": path.encode(), "query_string": query.encode(), "root_path": "", "client": ("127.0.0.1", 1), "server": None,
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()], "state": {},
    }  # fmt: skip


async def tell(served: Served, *facts: Fact) -> None:
    """Put facts where the worker puts them, each as the newest of its class; all at once."""
    signer = SignalSigner(served.world.signals_keyring, BASE)
    connection = await asyncpg.connect(served.database.app_url)
    try:
        async with connection.transaction():
            for fact in facts:
                signal = Signal(fact=fact, cause=Cause(type=EventType.SESSION_REVOKED), at=NOW)
                body = signer.body(signal, event_id=EventId(uuid7()), txn=CorrelationId(uuid7()))
                count = await connection.fetchval(
                    "UPDATE signal_classes SET count = count + 1 WHERE class = $1 RETURNING count", class_of(fact)
                )
                await connection.execute(
                    "INSERT INTO live_signals (class, subject, count, fact) VALUES ($1, $2, $3, $4) "
                    "ON CONFLICT (class, subject) DO UPDATE SET count = excluded.count, fact = excluded.fact",
                    *(class_of(fact), subject_of(fact), count, body),
                )
    finally:
        await connection.close()


async def change_class(served: Served, what: str, *, of_class: str = ACCESS) -> None:
    connection = await asyncpg.connect(served.database.app_url)
    try:
        await connection.execute(f"UPDATE signal_classes SET {what} WHERE class = $1", of_class)
    finally:
        await connection.close()


def ended(session: UUID | None = None) -> SessionFact:
    """A session that is over, as a fact."""
    return SessionFact(id=SessionId(session or uuid7()), until=int((NOW + timedelta(minutes=6)).timestamp()))


def roles_of(user: UserId, version: int, *roles: str) -> RolesFact:
    return RolesFact(audience=ORDERS, id=user, roles=tuple(map(RoleName, roles)), version=version, until=4_000_000_000)


async def position(served: Served) -> str:
    """The id of the newest event of class `access`."""
    state = (await served.world.telling.hub.states(["access"]))["access"]
    return f"access:{state.epoch}:{state.count}"


async def snapshot(served: Served, token: str, query: str = "", **fields: str) -> httpx.Response:
    return await served.http.get(f"/api/v1/signals/snapshot?{query}", headers={"Authorization": f"Bearer {token}", **fields})


async def read(served: Served, token: str, query: str = "") -> dict[str, Any]:
    answer = await snapshot(served, token, query)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/jwt"), answer.text
    return await opened(served, answer.text, "minos-snapshot+jwt")
