"""A WebSocket lasts no longer than its credential."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from driven import BEARER, DENIAL, Gate, awaited
from minos_sdk import standing
from minos_sdk.admission import Admission, Caller, admitted
from minos_sdk.asgi import MinosMiddleware
from minos_sdk.credentials import Credential
from minos_sdk.errors import Blind, ExpiredToken, Revoked, Unauthenticated
from minos_sdk.identity import Identity
from minos_sdk.policies import REFUSE
from minos_sdk.rules import Rule, require_fresh_auth, require_role
from minos_sdk.testing import Authority


class Socket:
    """A client's end of a WebSocket."""

    def __init__(self, app: Callable[..., Awaitable[None]], *headers: tuple[bytes, bytes], extensions: Any = None) -> None:
        self._to: asyncio.Queue[Any] = asyncio.Queue()
        self._from: asyncio.Queue[Any] = asyncio.Queue()
        scope = {"type": "websocket", "path": "/live", "headers": list(headers), "query_string": b"", "extensions": extensions}
        self.say({"type": "websocket.connect"})
        self.serving = asyncio.create_task(awaited(app(scope, self._to.get, self._from.put)))

    def say(self, message: Any) -> None:
        self._to.put_nowait(message)

    async def next(self) -> Any:
        async with asyncio.timeout(5):
            return await self._from.get()

    async def end(self) -> None:
        self.serving.cancel()
        with suppress(asyncio.CancelledError):
            await self.serving


async def echo(scope: Any, receive: Any, send: Any) -> None:
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})


async def test_an_open_websocket_passes_what_is_said() -> None:
    gate = Gate()
    socket = Socket(MinosMiddleware(echo, gate), BEARER)
    assert (await socket.next())["type"] == "websocket.accept"
    for text in ("a", "b"):
        socket.say({"type": "websocket.receive", "text": text})
        assert (await socket.next())["text"] == text
    socket.say({"type": "websocket.disconnect", "code": 1000})
    await socket.serving
    assert gate.watched == 0


async def test_attack_revoked_session_goes_on_over_an_open_websocket() -> None:
    gate = Gate()
    socket = Socket(MinosMiddleware(echo, gate), BEARER)
    await socket.next()
    gate.revoked.set()
    assert await socket.next() == {"type": "websocket.close", "code": 3000, "reason": "token_revoked"}
    await socket.serving
    assert gate.watched == 0


async def test_attack_revoked_session_is_sent_to_by_an_application_that_never_listens() -> None:
    gate, sent, failed = Gate(), asyncio.Event(), list[str]()

    async def pushing(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await sent.wait()
        try:
            await send({"type": "websocket.send", "text": "secret"})
        except OSError as closed:
            failed.append(str(closed))

    socket = Socket(MinosMiddleware(pushing, gate), BEARER)
    await socket.next()
    gate.revoked.set()
    assert (await socket.next())["type"] == "websocket.close"
    sent.set()
    await socket.serving
    assert failed == ["token_revoked"]
    assert socket._from.empty()


async def test_attack_session_revoked_between_the_check_and_the_watch() -> None:
    gate = Gate()

    class Late(Gate):
        @asynccontextmanager
        async def watching(self, identity: Identity) -> AsyncGenerator[asyncio.Event]:
            self.refusal = Revoked()
            yield self.revoked

    socket = Socket(MinosMiddleware(echo, Late()), BEARER)
    messages = [await socket.next()]
    if messages[-1]["type"] == "websocket.accept":
        messages.append(await socket.next())
    assert messages[-1]["type"] == "websocket.close"
    await socket.serving
    assert gate.watched == 0


async def test_an_open_websocket_is_closed_when_its_token_ends_or_nothing_is_known_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "CHECK_S", 0.01)
    for refusal, close in ((ExpiredToken(), (3000, "token_expired")), (Blind(), (1013, "revocations_unknown"))):
        gate = Gate()
        socket = Socket(MinosMiddleware(echo, gate), BEARER)
        await socket.next()
        gate.refusal = refusal
        told = await socket.next()
        assert (told["type"], (told["code"], told["reason"])) == ("websocket.close", close)
        await socket.serving


@pytest.mark.parametrize("lost", ["role", "knowledge"])
async def test_attack_websocket_that_outlives_what_its_route_asks_for(monkeypatch: pytest.MonkeyPatch, lost: str) -> None:
    """The credential stays good; what it was let in by does not."""
    monkeypatch.setattr(standing, "CHECK_S", 0.01)
    authority = Authority()
    verifier = authority.verifier()

    async def for_clerks(scope: Any, receive: Any, send: Any) -> None:
        await admitted(scope, require_role("clerk") & require_fresh_auth(max_age=300), REFUSE)
        await echo(scope, receive, send)

    token = authority.tokens.user("ada", roles=["clerk"])
    socket = Socket(MinosMiddleware(for_clerks, verifier), (b"authorization", f"Bearer {token}".encode()))
    assert (await socket.next())["type"] == "websocket.accept"
    if lost == "role":
        authority.feed.set_roles("test", "ada", [])
    else:
        authority.feed.silence()
        authority.clock.advance(6)
    closed = await socket.next()
    assert (closed["type"], closed["code"]) == ("websocket.close", 3003 if lost == "role" else 1013)
    await socket.serving


async def test_an_open_websocket_lasts_longer_than_the_proof_it_was_opened_with_is_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "CHECK_S", 0.01)
    now = [1_000.0]
    monkeypatch.setattr("minos_sdk.admission.time", lambda: now[0])
    caller = Caller(Admission(Gate()), Credential("bearer", "good"))
    await caller.again()
    rule = Rule("freshness", lambda _, at: Unauthenticated() if at > 1_300 else None)
    await caller.admit(rule, None)
    now[0] = 2_000
    await caller.stands()
    with pytest.raises(Unauthenticated):
        await caller.admit(rule, None)


async def test_attack_watch_that_breaks_leaves_a_websocket_open() -> None:
    class Broken(Gate):
        @asynccontextmanager
        async def watching(self, identity: Identity) -> AsyncGenerator[asyncio.Event]:
            raise RuntimeError
            yield self.revoked

    socket = Socket(MinosMiddleware(echo, Broken()), BEARER)
    while (told := await socket.next())["type"] == "websocket.accept":
        pass
    assert (told["type"], told["code"]) == ("websocket.close", 1013)
    await socket.serving


async def test_a_websocket_is_refused_before_it_opens_with_the_whole_answer() -> None:
    for headers, status, code in (([], 401, 3000), ([BEARER, BEARER], 400, 1008)):
        socket = Socket(MinosMiddleware(echo, Gate()), *headers, extensions=DENIAL)
        start, body = await socket.next(), await socket.next()
        assert (start["type"], start["status"]) == ("websocket.http.response.start", status)
        assert (body["type"], json.loads(body["body"])["status"]) == ("websocket.http.response.body", status)
        await socket.serving
        socket = Socket(MinosMiddleware(echo, Gate()), *headers)
        assert (await socket.next())["code"] == code
        await socket.serving


async def test_a_rule_refused_before_accepting_is_a_denial_and_after_it_a_close() -> None:
    def strict(*, accept: bool) -> Any:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            if accept:
                await send({"type": "websocket.accept"})
            await admitted(scope, require_role("admin"))

        return MinosMiddleware(app, Gate())

    socket = Socket(strict(accept=False), BEARER, extensions=DENIAL)
    assert (await socket.next())["status"] == 403
    await socket.serving
    socket = Socket(strict(accept=True), BEARER)
    assert [(await socket.next())["type"], (await socket.next())["code"]] == ["websocket.accept", 3003]
    await socket.serving


async def test_a_message_is_not_lost_when_a_waiting_application_gives_up_waiting() -> None:
    heard: list[str] = []

    async def impatient(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while not heard:
            with suppress(TimeoutError):
                async with asyncio.timeout(0.01):
                    heard.append((await receive())["text"])
            await send({"type": "websocket.send", "text": "tick"})

    socket = Socket(MinosMiddleware(impatient, Gate()), BEARER)
    await socket.next()
    await socket.next()
    socket.say({"type": "websocket.receive", "text": "hello"})
    await socket.serving
    assert heard == ["hello"]


async def test_nobody_is_watched_where_nobody_has_to_say_who_they_are() -> None:
    gate = Gate()
    socket = Socket(MinosMiddleware(echo, gate, required=False))
    assert (await socket.next())["type"] == "websocket.accept"
    assert gate.watched == 0
    await socket.end()
