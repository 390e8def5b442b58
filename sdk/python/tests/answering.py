"""An issuer of signals that answers in memory, and a verifier that asks it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx

from minos_sdk import Revoked, Verifier
from minos_sdk.feeds.feed import Feed
from minos_sdk.testing import Authority, key_set

UNTIL = 4_000_000_000


def ended(session_id: str) -> dict[str, Any]:
    return {"kind": "session", "id": session_id, "until": UNTIL}


class Issuer:
    """Serves key sets, the snapshot and the stream as Minos does, for the service whose token is `minos-token`."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.facts: list[dict[str, Any]] = []
        self.asked: list[httpx.Request] = []
        self.away = False
        self.halted_at: float | None = None
        self.age = "0"
        self.streams: list[asyncio.Queue[str | None]] = []
        self.http = httpx.AsyncClient(transport=httpx.MockTransport(self.answer))

    async def token(self, audience: str) -> str:
        assert audience == "minos"
        return "minos-token"

    def tell(self, fact: dict[str, Any]) -> None:
        self.facts.append(fact)
        signal = self.authority.signals.signal(fact, count=len(self.facts))
        for stream in self.streams:
            stream.put_nowait(f"event: signal\nid: access:1:{len(self.facts)}\ndata: {signal}\n\n")

    def beat(self) -> None:
        for stream in self.streams:
            for name, count in self.counts.items():
                stream.put_nowait(f": comment\nevent: heartbeat\ndata: {self.authority.signals.heartbeat(name, count=count)}\n\n")

    def cut(self) -> None:
        for stream in self.streams:
            stream.put_nowait(None)
        self.streams = []

    @property
    def counts(self) -> dict[str, int]:
        return {"access": len(self.facts), "roles.test": 0}

    def snapshots(self) -> list[httpx.Request]:
        return [request for request in self.asked if request.url.path.endswith("/snapshot")]

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.away:
            raise httpx.ConnectError("away")
        path = request.url.path
        if path == "/.well-known/jwks.json":
            return httpx.Response(200, content=key_set(self.authority.key))
        if path == "/.well-known/signals-jwks.json":
            return httpx.Response(200, content=key_set(self.authority.signals_key))
        assert request.headers["authorization"] == "Bearer minos-token"
        assert request.url.params["audience"] == "test"
        return self._snapshot(request) if path == "/api/v1/signals/snapshot" else self._stream()

    def _snapshot(self, request: httpx.Request) -> httpx.Response:
        known = dict[str, int]()
        for place in filter(None, request.url.params.get("after", "").split(",")):
            name, epoch, count = place.split(":")
            known |= {name: int(count)} if epoch == "1" else {}
        facts = self.facts[known.get("access", 0) :]
        text = self.authority.signals.snapshot(facts, counts=self.counts, after=known, at=self.halted_at)
        return httpx.Response(200, text=text, headers={"Content-Type": "application/jwt", "Age": "0" if known else self.age})

    def _stream(self) -> httpx.Response:
        pieces: asyncio.Queue[str | None] = asyncio.Queue()
        self.streams.append(pieces)

        async def body() -> AsyncIterator[bytes]:
            while (piece := await pieces.get()) is not None:
                yield piece.encode()

        return httpx.Response(200, content=body(), headers={"Content-Type": "text/event-stream"})


async def until(happened: Callable[[], object], nudge: Callable[[], object] = lambda: None) -> None:
    async with asyncio.timeout(10):
        while not happened():
            nudge()
            await asyncio.sleep(0.005)


def verifier_with(issuer: Issuer, feed: Feed) -> Verifier:
    authority = issuer.authority
    return Verifier(issuer=authority.issuer, audience="test", feed=feed, http=issuer.http, clock=authority.clock)


def is_refused(verifier: Verifier, token: str) -> bool:
    try:
        verifier.check(token)
    except Revoked:
        return True
    return False
