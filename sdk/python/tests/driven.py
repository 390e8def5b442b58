"""An application behind the middleware, and what drives it as a server does."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

from minos_sdk.admission import caller_of
from minos_sdk.errors import Blind, InvalidToken
from minos_sdk.identity import Identity
from minos_sdk.policies import REFUSE, BlindPolicy

KEY = "mk_dev_" + "0" * 32 + "_" + "A" * 49


BEARER = (b"authorization", b"Bearer good")


DENIAL = {"websocket.http.response": {}}


class Gate:
    """A verifier that knows one token, and one key."""

    def __init__(self) -> None:
        self.refusal: Exception | None = None
        self.revoked = asyncio.Event()
        self.watched = 0
        self.asked: list[BlindPolicy | None] = []

    async def verify(self, token: str, *, on_blind: BlindPolicy | None = None) -> Identity:
        self.asked.append(on_blind)
        if self.refusal is not None:
            raise self.refusal
        if on_blind is REFUSE:
            raise Blind
        if token != "good":
            raise InvalidToken
        return Identity(principal="user", subject="ada", user_id="ada", session_id="s1", audience="shop", roles=frozenset({"clerk"}))

    async def identify(self, key: str) -> Identity:
        if key != KEY:
            raise InvalidToken
        return Identity(principal="api_key", subject="ada", user_id="ada", key_id="k1", audience="shop")

    @asynccontextmanager
    async def watching(self, identity: Identity) -> AsyncGenerator[asyncio.Event]:
        self.watched += 1
        try:
            yield self.revoked
        finally:
            self.watched -= 1


async def whoami(scope: Any, receive: Any, send: Any) -> None:
    identity = caller_of(scope).identity
    body = json.dumps(None if identity is None else [identity.principal, identity.subject]).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def ask(
    app: Any, *headers: tuple[bytes, bytes], path: str = "/orders", method: str = "GET", root_path: str = "", query: bytes = b""
) -> tuple[int, dict[bytes, bytes], Any]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "root_path": root_path, "headers": list(headers), "query_string": query}
    await app(scope, asyncio.Queue[Any]().get, send)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    return sent[0]["status"], dict(sent[0]["headers"]), json.loads(sent[1]["body"])


async def awaited(serving: Awaitable[None]) -> None:
    await serving
