"""The middleware, driven as a server drives it."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from minos_sdk import standing
from minos_sdk.admission import Admission, Caller, NotInstalled, admitted, caller_of
from minos_sdk.asgi import MinosMiddleware
from minos_sdk.credentials import Credential
from minos_sdk.errors import Blind, ExpiredToken, InvalidToken, Revoked, Unauthenticated
from minos_sdk.identity import Identity
from minos_sdk.policies import REFUSE, BlindPolicy
from minos_sdk.rules import Rule, require_fresh_auth, require_role
from minos_sdk.testing import Authority

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


async def test_who_calls_is_in_the_scope() -> None:
    gate = Gate()
    app = MinosMiddleware(whoami, gate, api_keys=gate)
    assert (await ask(app, BEARER))[2] == ["user", "ada"]
    assert (await ask(app, (b"x-api-key", KEY.encode())))[2] == ["api_key", "ada"]
    assert (await ask(app, (b"authorization", f"bearer {KEY}".encode())))[2] == ["api_key", "ada"]


async def test_a_request_without_a_credential_is_challenged_without_an_error() -> None:
    status, headers, told = await ask(MinosMiddleware(whoami, Gate()))
    assert (status, headers[b"www-authenticate"], told["code"]) == (401, b"Bearer", "authentication_required")
    assert headers[b"content-type"] == b"application/problem+json"
    assert headers[b"cache-control"] == b"no-store"
    assert told == {"type": "about:blank", "title": "Unauthorized", "status": 401, "code": told["code"], "detail": told["detail"]}


@pytest.mark.parametrize(
    ("refusal", "status", "code"),
    [
        (InvalidToken(), 401, "invalid_token"),
        (ExpiredToken(), 401, "token_expired"),
        (Revoked(), 401, "token_revoked"),
        (Blind(), 503, "revocations_unknown"),
    ],
    ids=["invalid", "expired", "revoked", "blind"],
)
async def test_refusals_are_problems_with_challenges_and_times(refusal: Exception, status: int, code: str) -> None:
    gate = Gate()
    gate.refusal = refusal
    got, headers, told = await ask(MinosMiddleware(whoami, gate), BEARER)
    assert (got, told["code"]) == (status, code)
    assert (b'error="invalid_token"' in headers.get(b"www-authenticate", b"")) == (status == 401)
    assert (b"retry-after" in headers) == (status == 503)


TWO = {
    "a token and a key": [BEARER, (b"x-api-key", KEY.encode())],
    "two tokens": [BEARER, BEARER],
    "two keys": [(b"x-api-key", KEY.encode())] * 2,
    "a bad one before": [(b"authorization", b"Basic eDp5"), (b"x-api-key", KEY.encode())],
    "an empty one": [BEARER, (b"x-api-key", b"")],
}


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("headers", TWO.values(), ids=TWO)
async def test_attack_two_credentials_of_which_each_part_believes_another(headers: list[tuple[bytes, bytes]], method: str) -> None:
    gate = Gate()
    for app in (MinosMiddleware(whoami, gate, api_keys=gate), MinosMiddleware(whoami, gate, required=False)):
        status, _, told = await ask(app, *headers, method=method)
        assert (status, told["code"]) == (400, "ambiguous_credentials")
    assert gate.asked == []


BAD = {
    "another scheme": (b"authorization", b"Basic Z29vZA=="),
    "no scheme": (b"authorization", b"good"),
    "no token": (b"authorization", b"Bearer "),
    "two in one": (b"authorization", b"Bearer good, Bearer bad"),
    "not ascii": (b"authorization", "Bearer goöd".encode()),
    "very long": (b"authorization", b"Bearer " + b"a" * 9000),
    "a token as a key": (b"x-api-key", b"good"),
    "an unknown key": (b"x-api-key", b"mk_dev_1"),
}


@pytest.mark.parametrize("header", BAD.values(), ids=BAD)
async def test_attack_bad_credential_taken_for_none_where_none_is_needed(header: tuple[bytes, bytes]) -> None:
    gate = Gate()
    status, _, told = await ask(MinosMiddleware(whoami, gate, api_keys=gate, required=False), header)
    assert (status, told["code"]) == (401, "invalid_token")
    assert header[1].decode("latin-1").partition(" ")[2] not in json.dumps(told) or not header[1].partition(b" ")[2]


async def test_attack_credential_that_another_site_has_a_browser_send() -> None:
    gate = Gate()
    app = MinosMiddleware(whoami, gate, api_keys=gate)
    for header in ((b"cookie", b"access_token=good; __Host-minos=good; authorization=Bearer good"), (b"x-access-token", b"good")):
        assert (await ask(app, header, path="/orders", query=b"access_token=good"))[2]["code"] == "authentication_required"
    assert gate.asked == []


async def test_credentials_that_are_not_taken_here_are_refused() -> None:
    gate = Gate()
    assert (await ask(MinosMiddleware(whoami, gate), (b"x-api-key", KEY.encode())))[0] == 401
    assert (await ask(MinosMiddleware(whoami, gate, api_keys=gate, bearer=False), BEARER))[0] == 401
    with pytest.raises(ValueError, match="nobody"):
        MinosMiddleware(whoami, gate, bearer=False)


async def test_paths_that_are_exempt_have_no_identity_and_no_look_at_credentials() -> None:
    app = MinosMiddleware(whoami, Gate(), exempt=["/health", "/assets/*"])
    for path in ("/health", "/assets/app.js", "/assets/img/a.png", "/assets/"):
        assert (await ask(app, path=path))[::2] == (200, None)
    assert (await ask(app, (b"authorization", b"Bearer bad"), path="/health"))[0] == 200
    assert (await ask(app, path="/api/health", root_path="/api"))[0] == 200
    assert (await ask(app, path="/api/assets/api.js", root_path="/api"))[0] == 200
    assert (await ask(app, path="/health", root_path="/api"))[0] == 200


LOOKS_EXEMPT = (
    "/healthy", "/health/", "//health", "/Health", "/other/health", "/assets", "/assets/../orders", "/assets/./../orders",
    "/assets//orders", "/assets/..", "/assets/%2e%2e/orders", "/assets/..\\orders",
)  # fmt: skip


@pytest.mark.parametrize("path", LOOKS_EXEMPT)
async def test_attack_path_that_only_looks_exempt(path: str) -> None:
    assert (await ask(MinosMiddleware(whoami, Gate(), exempt=["/health", "/assets/*"]), path=path))[0] == 401


READ_DIFFERENTLY = [("/assets/api/orders", "/api"), ("/api/health", "/api/"), ("/apihealth", "/api")]


@pytest.mark.parametrize(("path", "root"), READ_DIFFERENTLY)
async def test_attack_path_that_is_exempt_by_one_reading_of_where_the_application_is_mounted(path: str, root: str) -> None:
    """Litestar cuts what is before the mount's first appearance, Starlette a prefix, and not one with a slash at its end."""
    assert (await ask(MinosMiddleware(whoami, Gate(), exempt=["/health", "/assets/*"]), path=path, root_path=root))[0] == 401


async def test_attack_connection_of_a_kind_that_nobody_looks_at() -> None:
    reached: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope)

    with pytest.raises(NotImplementedError):
        await MinosMiddleware(app, Gate())({"type": "webtransport", "path": "/", "headers": []}, app, app)  # type: ignore[arg-type]
    assert not reached


async def test_exempt_is_no_single_text() -> None:
    with pytest.raises(TypeError):
        MinosMiddleware(whoami, Gate(), exempt="/health")


@pytest.mark.parametrize("path", ["health", "*", "/a/*/b", "/assets*", "/a?b", "/a%20b", "/*"])
async def test_a_path_that_would_exempt_nothing_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"exempts (no|every)thing"):
        MinosMiddleware(whoami, Gate(), exempt=["/health", path])


async def test_a_rule_refused_further_in_is_answered_and_a_proof_asked_for() -> None:
    async def strict(scope: Any, receive: Any, send: Any) -> None:
        await admitted(scope, require_role(scope["path"][1:]) & require_fresh_auth(max_age=300, acr="urn:minos:acr:two-factor"))

    app = MinosMiddleware(strict, Gate())
    status, headers, told = await ask(app, BEARER, path="/admin")
    assert (status, told["code"], told["detail"]) == (403, "role_required", "This asks for the role admin.")
    assert b"insufficient_scope" in headers[b"www-authenticate"]
    status, headers, told = await ask(MinosMiddleware(strict, Gate()), BEARER, path="/clerk")
    assert status == 403


async def test_a_stricter_policy_is_asked_for_where_a_route_wants_it() -> None:
    async def strict(scope: Any, receive: Any, send: Any) -> None:
        await admitted(scope, on_blind=REFUSE)

    assert (await ask(MinosMiddleware(strict, Gate()), BEARER))[0] == 503


async def test_who_asks_for_an_identity_gets_one_or_a_401() -> None:
    async def insists(scope: Any, receive: Any, send: Any) -> None:
        assert await admitted(scope)
        await whoami(scope, receive, send)

    app = MinosMiddleware(insists, Gate(), required=False)
    assert (await ask(app))[0] == 401
    assert (await ask(app, BEARER))[0] == 200


async def test_attack_application_without_middleware_lets_everybody_in() -> None:
    with pytest.raises(NotInstalled):
        await ask(whoami, BEARER)
    with pytest.raises(NotInstalled):
        await admitted({"type": "http", "minos.caller": "ada"})


async def test_what_is_no_refusal_and_what_comes_too_late_is_not_answered() -> None:
    async def late(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise InvalidToken

    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise KeyError

    for app, error in ((late, InvalidToken), (broken, KeyError)):
        with pytest.raises(error):
            await ask(MinosMiddleware(app, Gate()), BEARER)


async def test_lifespan_goes_through() -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    await MinosMiddleware(app, Gate())({"type": "lifespan"}, asyncio.Queue[Any]().get, asyncio.Queue[Any]().put)
    assert seen == ["lifespan"]


class Socket:
    """A client's end of a WebSocket."""

    def __init__(self, app: Callable[..., Awaitable[None]], *headers: tuple[bytes, bytes], extensions: Any = None) -> None:
        self._to: asyncio.Queue[Any] = asyncio.Queue()
        self._from: asyncio.Queue[Any] = asyncio.Queue()
        scope = {"type": "websocket", "path": "/live", "headers": list(headers), "query_string": b"", "extensions": extensions}
        self.say({"type": "websocket.connect"})
        self.serving = asyncio.create_task(_awaited(app(scope, self._to.get, self._from.put)))

    def say(self, message: Any) -> None:
        self._to.put_nowait(message)

    async def next(self) -> Any:
        async with asyncio.timeout(5):
            return await self._from.get()

    async def end(self) -> None:
        self.serving.cancel()
        with suppress(asyncio.CancelledError):
            await self.serving


async def _awaited(serving: Awaitable[None]) -> None:
    await serving


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


async def streaming(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": b"tick", "more_body": True})
        await asyncio.sleep(0)


class Streamed:
    """A client's end of an answer that goes on."""

    def __init__(self, app: Any) -> None:
        self.to, self.sent = asyncio.Queue[Any](), asyncio.Queue[Any]()
        self.to.put_nowait({"type": "http.request", "body": b"", "more_body": False})
        scope = {"type": "http", "method": "GET", "path": "/events", "headers": [BEARER], "query_string": b""}
        self.serving = asyncio.create_task(_awaited(app(scope, self.to.get, self.sent.put)))

    async def pieces(self, n: int) -> None:
        for _ in range(n):
            assert await self.sent.get()


async def test_attack_revoked_session_goes_on_over_an_answer_that_never_ends() -> None:
    gate = Gate()
    streamed = Streamed(MinosMiddleware(streaming, gate))
    await streamed.pieces(5)
    assert gate.watched == 1
    gate.revoked.set()
    with pytest.raises(OSError, match="token_revoked"):
        await streamed.serving
    assert gate.watched == 0


async def test_a_long_answer_ends_with_its_last_piece() -> None:
    async def long(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for piece in range(3):
            await send({"type": "http.response.body", "body": b"tick", "more_body": piece < 2})

    gate = Gate()
    streamed = Streamed(MinosMiddleware(long, gate))
    await streamed.serving
    assert (streamed.sent.qsize(), gate.watched) == (4, 0)


async def test_nothing_is_watched_for_an_answer_in_one_piece() -> None:
    class Watchful(Gate):
        def watching(self, identity: Identity) -> Any:
            raise AssertionError

    assert (await ask(MinosMiddleware(whoami, Watchful()), BEARER))[0] == 200
