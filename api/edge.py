"""The outermost layer, in plain ASGI: ids, limits, host list, header fields, one log line and the figures of a request."""

import asyncio
from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any

import structlog
from msgspec import UNSET

from adapters.request_log import RequestLine, RequestLog
from adapters.telemetry.spans import Spans
from api import metrics, oauth_errors, problems
from api.addresses import ASKED_ALIKE, CHECK, Addresses
from api.asgi import App, Message, Receive, Scope, Send
from api.client_address import Network, client_address, network_of, source_of
from api.demands import plain_demand
from api.exchange import SCOPE_KEY, Exchange
from api.express import Express
from api.incoming import METHODS, WITH_BODY, HostList, header_fields, read_body
from api.limiter import Limiter
from api.oauth_errors import is_oauth
from api.problems import Answer
from api.refusals import InternalError, NoSuchRoute, Starting
from api.traced_requests import TRACE_ID, TracedRequests
from domain.errors import Refused

_SECURITY: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_CLOSED = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_NO_STORE = (b"cache-control", b"no-store")
_HSTS = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")
_LAST = (b"connection", b"close")
"""A proxy that keeps connections then opens the next one elsewhere, instead of sending into one that is about to end."""
STARTING_SECONDS = 3.0
"""How long a request waits for a process that has just begun to listen: opening what it needs takes about one."""
_UNROUTED = "(none)"
_OTHER_METHOD = "(other)"
"""What a made-up method is counted as: each label of its own would stay in the metrics for good."""
_QUIET = frozenset({"/health/live", "/health/ready", "/health/startup"})


class Edge:
    """Wraps the application. Until it is `open` only `/health/` is let through, and the rest waits a moment. Once `leaving` is set each
    answer ends its connection."""

    def __init__(
        self,
        app: App,
        *,
        hosts: Sequence[str],
        proxies: Sequence[Network],
        https: bool,
        methods: Mapping[str, bytes],
        addresses: Addresses,
        leaving: asyncio.Event,
        spans: Spans | None = None,
    ) -> None:
        self.app = app
        self._leaving = leaving
        self._opened = asyncio.Event()
        self._answering: App = self._answer if spans is None else TracedRequests(self._answer, spans)
        self._methods = methods
        self._addresses = addresses
        self._limiter: Limiter | None = None
        self._express: Mapping[tuple[str, str], Express] = {}
        self._hosts = HostList(hosts)
        self._known_hosts: set[bytes] = set()
        self._proxies = proxies
        self._always = (*_SECURITY, _HSTS) if https else _SECURITY
        self._log = structlog.get_logger()
        self._requests = RequestLog()
        self._counted: dict[str, tuple[str, str | None]] = {}

    def let_everyone_in(self, express: Mapping[tuple[str, str], Express], limiter: Limiter) -> None:
        """From now on requests are answered. `express`: what answers a method and address without the framework."""
        self._express = express
        self._limiter = limiter
        self._opened.set()

    @property
    def open(self) -> bool:
        return self._opened.is_set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._answering(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000, "reason": None})
        else:
            await self.app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange()
        always = (*self._always, _LAST) if self._leaving.is_set() else self._always
        outgoing = _Outgoing(scope, exchange, send, always=always, methods=self._methods, limiter=self._limiter)
        try:
            fields = header_fields(scope)
            exchange.meet(fields)
            exchange.trace_id = scope.get(TRACE_ID, exchange.trace_id)
            await self._let_in(scope, exchange, receive)
            quick = self._express.get((scope["method"], scope["path"]))
            if quick is not None and self._suits(scope, exchange):
                await outgoing.send_whole(await quick(exchange))
            else:
                await self.app(scope, _again(exchange.body, receive), outgoing)
        except Refused as refused:
            await outgoing.refuse(refused)
        except Exception as error:  # noqa: BLE001 - the last line: whatever it is, it becomes a 500 without its words
            self._log.error("request_failed", request_id=exchange.request_id, exc_info=error)
            await outgoing.refuse(InternalError())
        finally:
            self._account(scope, exchange)

    async def _let_in(self, scope: Scope, exchange: Exchange, receive: Receive) -> None:
        fields = exchange.headers
        host = fields.get(b"host")
        if host not in self._known_hosts:
            self._check_host(host)
        if not self.open and not scope["path"].startswith("/health/"):
            await self._until_open()
        self._locate(scope, exchange)
        if scope["path"] == CHECK and scope["method"] in ASKED_ALIKE:
            scope["method"] = "GET"
        one_spelling = _is_one_spelling(scope["path"], scope["raw_path"] or b"")
        if self._limiter is not None:
            self._limit(self._limiter, scope, exchange, one_spelling=one_spelling)
        if not one_spelling:
            raise NoSuchRoute
        if scope["method"] in WITH_BODY:
            exchange.body = await read_body(fields, receive, form=is_oauth(scope["path"]))
        elif scope["method"] == "HEAD":
            scope["method"] = "GET"
            exchange.wants_body = False
        scope[SCOPE_KEY] = exchange

    async def _until_open(self) -> None:
        """A balancer that does not ask whether we are ready sends requests as soon as we listen."""
        try:
            async with asyncio.timeout(STARTING_SECONDS):
                await self._opened.wait()
        except TimeoutError:
            raise Starting from None

    @staticmethod
    def _suits(scope: Scope, exchange: Exchange) -> bool:
        """Whether the express lane may answer; conditions are for the ordinary routes, and parameters but those of a gateway."""
        if b"if-none-match" in exchange.headers:
            return False
        if scope["path"] == CHECK:
            exchange.demand = plain_demand(scope["query_string"])
            if exchange.demand is None:
                return False
        elif scope["query_string"]:
            return False
        scope["path_template"] = scope["path"]
        return True

    def _check_host(self, host: bytes | None) -> None:
        self._hosts.check(host)
        if host is not None and len(self._known_hosts) < 256:
            self._known_hosts.add(host)

    def _limit(self, limiter: Limiter, scope: Scope, exchange: Exchange, *, one_spelling: bool) -> None:
        """Another spelling of an address is an address where there is nothing."""
        served = self._addresses.find(scope["method"], scope["path"]) if one_spelling else None
        if served is not None:
            scope["path_template"] = served.path
        limiter.enter(limiter.gate(None if served is None else served.operation), exchange)

    def _locate(self, scope: Scope, exchange: Exchange) -> None:
        client = scope.get("client")
        address = client[0] if client else ""
        if self._proxies:
            fields = exchange.headers
            address = client_address(address, fields.get(b"forwarded"), fields.get(b"x-forwarded-for"), self._proxies)
        exchange.address = address
        if address not in self._counted:
            if len(self._counted) >= 4096:
                self._counted.clear()
            self._counted[address] = (source_of(address), network_of(address))
        exchange.source, exchange.network = self._counted[address]

    def _account(self, scope: Scope, exchange: Exchange) -> None:
        elapsed = perf_counter() - exchange.started
        route = str(scope.get("path_template") or _UNROUTED)
        method = scope["method"] if scope["method"] in METHODS else _OTHER_METHOD
        metrics.requests(method, route, exchange.status).inc()
        metrics.seconds(method, route).observe(elapsed)
        if route in _QUIET or not self._requests.wanted:
            return
        machine = exchange.machine
        self._requests.write(
            RequestLine(
                method=method,
                route=route,
                status=exchange.status,
                duration_ms=round(elapsed * 1000, 3),
                request_id=exchange.request_id,
                trace_id=exchange.trace_id,
                code=exchange.code,
                client_id=UNSET if machine is None else machine.client_id,
                token_id=UNSET if machine is None or machine.token_id is None else machine.token_id,
                key_id=UNSET if machine is None or machine.key_id is None else machine.key_id,
            )
        )


def _is_one_spelling(path: str, raw: bytes) -> bool:
    """The router would pass over empty segments: a proxy's rule for an address would not hold for `//` in it, nor for `%2f`, which
    no address of ours needs."""
    return b"%" not in raw and "\x00" not in path and "�" not in path and "//" not in path and (path == "/" or not path.endswith("/"))


class _Outgoing:
    """Adds the header fields every answer has, and drops the body of an answer to HEAD."""

    __slots__ = ("_always", "_exchange", "_limiter", "_methods", "_scope", "_send", "_without_body", "started")

    def __init__(
        self,
        scope: Scope,
        exchange: Exchange,
        send: Send,
        *,
        always: Sequence[tuple[bytes, bytes]],
        methods: Mapping[str, bytes],
        limiter: Limiter | None,
    ) -> None:
        self._scope = scope
        self._exchange = exchange
        self._send = send
        self._always = always
        self._methods = methods
        self._limiter = limiter
        self._without_body = scope["method"] == "HEAD"
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            exchange = self._exchange
            exchange.status = message["status"]
            headers = [*message["headers"], *exchange.extra_headers, *self._always]
            if self._scope["method"] == "OPTIONS" and exchange.status == 204:
                headers = [(name, self._allowed() if name == b"allow" else value) for name, value in headers]
            names = {name for name, _ in headers}
            if b"cache-control" not in names:
                headers.append(_NO_STORE)
                if self._limiter is not None:  # on nothing that a cache would give to others
                    headers += self._limiter.fields(exchange)
            if b"content-security-policy" not in names:
                headers.append(_CLOSED)
            headers.append((b"x-request-id", exchange.request_id.encode("ascii")))
            message["headers"] = headers
        elif self._without_body and message["type"] == "http.response.body":
            message["body"] = b""
        await self._send(message)

    def _allowed(self) -> bytes:
        return self._methods[str(self._scope["path_template"])]

    async def refuse(self, refused: Refused) -> None:
        """Send the problem, unless an answer is under way already."""
        if self.started:
            return
        self._exchange.code = refused.code
        await self.send_whole(oauth_errors.answer(refused) if is_oauth(self._scope["path"]) else problems.answer(refused))

    async def send_whole(self, answer: Answer) -> None:
        await self({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await self({"type": "http.response.body", "body": answer.body, "more_body": False})


def _again(body: bytes, receive: Receive) -> Receive:
    """Give the body that was read already; after it, whatever the connection has to say."""
    given = False

    async def receive_again() -> Any:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again
