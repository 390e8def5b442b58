"""One request and what is being said about it, from the first header to the log line."""

import re
from os import urandom
from time import perf_counter
from typing import Any, cast

from adapters.limits.counters import Counter
from api.gates import Gate
from commands.check_credential import Demand
from commands.context import ActionUse, Machine, Principal
from commands.ports import AccessClaims

SCOPE_KEY = "minos.exchange"
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._~-]{1,64}")
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")
_NO_TRACE = "0" * 32


class Exchange:
    """Mutable: parts are learned on the way. Nothing of it is shared between requests."""

    __slots__ = (
        "action", "address", "authorization", "body", "claims", "code", "counter", "demand", "extra_headers", "gate", "headers",
        "machine", "network",        "principal", "refused_for", "request_id", "source", "started", "status", "trace_id",
        "wants_body",
    )  # fmt: skip

    def __init__(self) -> None:
        self.started = perf_counter()
        self.headers: dict[bytes, bytes] = {}
        self.request_id = urandom(16).hex()
        self.trace_id: str | None = None
        self.address = ""
        self.source = ""
        """What the address is counted under: all of an IPv4 address, the /64 of an IPv6 one."""
        self.gate: Gate | None = None
        """What limits the operation that is asked for."""
        self.counter: Counter | None = None
        """The one the caller is told about."""
        self.refused_for = 0
        """Seconds until it lets one more in, where it refused this request."""
        self.network: str | None = None
        self.body = b""
        self.wants_body = True
        """An answer to HEAD has none."""
        self.action: ActionUse | None = None
        self.claims: AccessClaims | None = None
        self.demand: Demand | None = None
        """What a gateway asks, where it asks plainly."""
        self.principal: Principal | None = None
        self.machine: Machine | None = None
        """Who calls is one of the two, or neither."""
        self.extra_headers: list[tuple[bytes, bytes]] = []
        self.status = 0
        self.code: str | None = None
        """The problem's code, when the answer is one."""

    def meet(self, headers: dict[bytes, bytes]) -> None:
        """Take the header fields in, once they are known to be sound."""
        self.headers = headers
        self.trace_id = _trace_id(headers.get(b"traceparent"))
        if (given := headers.get(b"x-request-id")) is not None and _REQUEST_ID.fullmatch(given):
            self.request_id = given.decode("ascii")

    def say(self, name: bytes, value: str) -> None:
        self.extra_headers.append((name, value.encode("ascii")))

    @property
    def user_agent(self) -> str | None:
        value = self.headers.get(b"user-agent")
        return None if not value else value[:256].decode("latin-1")


def exchange_of(scope: Any) -> Exchange:
    return cast("Exchange", scope[SCOPE_KEY])  # put there by the edge, before anything else sees the request


def _trace_id(traceparent: bytes | None) -> str | None:
    """W3C Trace Context 3.2; a malformed field is as good as none."""
    if traceparent is None or (match := _TRACEPARENT.fullmatch(traceparent)) is None:
        return None
    trace_id = match[1].decode("ascii")
    return None if trace_id == _NO_TRACE or traceparent.startswith(b"ff") else trace_id
