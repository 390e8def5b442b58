"""How a refusal is answered: RFC 9457 over HTTP, and a denied handshake or a close frame on a WebSocket."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from minos_sdk.errors import MinosError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

CONTENT_TYPE = "application/problem+json"
_CLOSE = {401: 3000, 403: 3003, 503: 1013}
"""IANA's registry of close codes: Unauthorized, Forbidden, Try Again Later."""
_CLOSE_OTHERS = 1008
_DENIAL = "websocket.http.response"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def answer_to(refused: MinosError) -> Answer:
    """Write the problem, and the header fields its status asks for. Nothing of the request is in it."""
    status = refused.status
    problem = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": str(refused.code),
        "detail": str(refused),
    }
    body = json.dumps(problem, separators=(",", ":")).encode()
    headers = [
        (b"content-type", CONTENT_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    challenge, retry_after = refused.challenge(), refused.retry_after
    if challenge is not None:
        headers.append((b"www-authenticate", challenge.encode("ascii")))
    if retry_after is not None:
        headers.append((b"retry-after", str(retry_after).encode()))
    return Answer(status, headers, body)


async def refuse(scope: Scope, receive: Receive, send: Send, refused: MinosError) -> None:
    """Answer a request, or a WebSocket that is not open yet."""
    if scope["type"] == "websocket":
        await receive()  # websocket.connect: no answer before it
        await deny(scope, send, refused)
        return
    await _respond(send, "http.response", answer_to(refused))


async def deny(scope: Scope, send: Send, refused: MinosError) -> None:
    """Refuse a handshake with the whole answer where the server can send it, and else with the 403 that closing makes of it."""
    if _DENIAL in (scope.get("extensions") or {}):
        await _respond(send, _DENIAL, answer_to(refused))
    else:
        await close(send, refused)


async def close(send: Send, refused: MinosError) -> None:
    await send({"type": "websocket.close", "code": close_code(refused), "reason": str(refused.code)})


def close_code(refused: MinosError) -> int:
    return _CLOSE.get(refused.status, _CLOSE_OTHERS)


async def _respond(send: Send, kind: str, answer: Answer) -> None:
    await send({"type": f"{kind}.start", "status": answer.status, "headers": answer.headers})
    await send({"type": f"{kind}.body", "body": answer.body})
