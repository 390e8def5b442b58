"""What is checked of a request before anything else looks at it: header fields, host, body."""

import asyncio
import re
from collections.abc import Iterable

from api.asgi import Receive, Scope
from api.refusals import (
    AddressTooLong,
    BadRequest,
    BodyTooDeep,
    BodyTooLarge,
    BodyTooSlow,
    FormExpected,
    HeaderInvalid,
    HeadersTooLarge,
    HostNotAllowed,
    MalformedBody,
    UnsupportedMediaType,
)
from domain.errors import AmbiguousCredentials

BODY_LIMIT = 64 * 1024
HEADERS_LIMIT = 32 * 1024
FIELDS_LIMIT = 128
ADDRESS_LIMIT = 32 * 1024
DEPTH_LIMIT = 32
BODY_SECONDS = 10.0
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"})
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})

_ONCE = (
    b"host", b"authorization", b"x-api-key", b"content-type", b"content-length", b"content-encoding", b"idempotency-key",
    b"minos-wait-for", b"x-request-id", b"if-none-match",
)  # fmt: skip
_CREDENTIALS = frozenset({b"authorization", b"x-api-key"})
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
"""One that nobody closes goes on to the end: were it no match, each quote in it would be tried anew, in quadratic time."""
_HOST = re.compile(rb"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::[0-9]{1,5})?", re.IGNORECASE)
_FORM = re.compile(rb"application/x-www-form-urlencoded[ \t]*(?:;[ \t]*charset=\"?utf-8\"?[ \t]*)?", re.IGNORECASE)
_JSON = re.compile(rb"application/(?:[a-z0-9.+-]+\+)?json[ \t]*(?:;[ \t]*charset=\"?utf-8\"?[ \t]*)?", re.IGNORECASE)


def header_fields(scope: Scope) -> dict[bytes, bytes]:
    """Give the header fields by name. Raises where one that may come once is repeated, or they are too many or not ASCII."""
    raw = list(scope["headers"])
    if len(raw) > FIELDS_LIMIT:
        raise HeadersTooLarge
    fields = dict(raw)
    if len(fields) != len(raw):
        _refuse_repeated(name for name, _ in raw)
        fields = {name: b", ".join(value for n, value in raw if n == name) for name in fields}
    if b"authorization" in fields and b"x-api-key" in fields:
        raise AmbiguousCredentials
    text = b"".join(fields.values())
    if len(text) > HEADERS_LIMIT:
        raise HeadersTooLarge
    if not text.isascii():
        raise HeaderInvalid
    if len(scope["raw_path"] or b"") + len(scope["query_string"]) > ADDRESS_LIMIT:
        raise AddressTooLong
    return fields


def _refuse_repeated(names: Iterable[bytes]) -> None:
    seen: set[bytes] = set()
    for name in names:
        if name in seen and name in _ONCE:
            raise AmbiguousCredentials if name in _CREDENTIALS else HeaderInvalid
        seen.add(name)


class HostList:
    """The host names that are answered; `*.example.org` stands for all below it. Ports do not matter."""

    def __init__(self, allowed: Iterable[str]) -> None:
        names = {name.lower() for name in allowed}
        self._exact = frozenset(name.encode("ascii") for name in names if not name.startswith("*."))
        self._below = tuple(name[1:].encode("ascii") for name in names if name.startswith("*."))

    def check(self, host: bytes | None) -> None:
        """Raises HostNotAllowed (RFC 9110 7.4)."""
        named = None if host is None else _HOST.fullmatch(host)
        name = b"" if named is None else named[1].lower()
        if name not in self._exact and not (self._below and name.endswith(self._below)):
            raise HostNotAllowed


async def read_body(fields: dict[bytes, bytes], receive: Receive, *, form: bool = False) -> bytes:
    """Read a JSON body, or a form, whole. Raises for one that is too large, late, deep, of another type, or not UTF-8."""
    length = fields.get(b"content-length")
    if length is None and b"transfer-encoding" not in fields:
        return b""
    if length is not None:
        if not length.isdigit():
            raise BadRequest
        if int(length) > BODY_LIMIT:
            raise BodyTooLarge
    declared = None if length is None or b"transfer-encoding" in fields else int(length)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await _drain(receive, declared)
    except TimeoutError:
        raise BodyTooSlow from None
    if body:
        if not _is_of_type(fields, _FORM if form else _JSON):
            raise FormExpected if form else UnsupportedMediaType
        _check_text(body)
    return body


async def _drain(receive: Receive, declared: int | None) -> bytes:
    """Read to the end. Where its size was declared, that is known without asking: the server's answer is a turn of three threads."""
    parts: list[bytes] = []
    size, more = 0, True
    while more and size != declared:
        message = await receive()
        if message["type"] != "http.request":
            raise BadRequest
        part = message.get("body", b"")
        more = message.get("more_body", False)
        size += len(part)
        if size > BODY_LIMIT:
            raise BodyTooLarge
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _is_of_type(fields: dict[bytes, bytes], wanted: re.Pattern[bytes]) -> bool:
    of_type = wanted.fullmatch(fields.get(b"content-type", b"")) is not None
    return of_type and fields.get(b"content-encoding", b"identity").lower() == b"identity"


def _check_text(body: bytes) -> None:
    """Depth is looked at before anything recursive sees the body; most bodies have too few brackets to be deep."""
    if body.count(b"{") + body.count(b"[") > DEPTH_LIMIT:
        _check_depth(_STRING.sub(b"", body))
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedBody from None


def _check_depth(brackets: bytes) -> None:
    depth = 0
    for byte in brackets:
        if byte in b"{[":
            depth += 1
            if depth > DEPTH_LIMIT:
                raise BodyTooDeep
        elif byte in b"}]":
            depth -= 1
