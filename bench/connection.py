"""One kept connection of the load driver: HTTP/1.1 over a raw socket, one request at a time."""

import asyncio
from collections.abc import Sequence
from itertools import count, cycle
from typing import cast

WRONG = 0
"""Stands for the status of an answer that says 2xx and does not hold what it must."""
_NUMBER = b"<number>"
_REFRESH = b"<refresh>"
_REFRESH_TOKEN = b'"refresh_token":"'


class Connection(asyncio.Protocol):
    """Sends its texts in turn, again and again. A protocol, which takes fewer steps for an answer than a stream.

    `<number>` in a text is a number that no request before had, of as many characters. With a `token`, `<refresh>` is the refresh token
    of the answer before. An answer must have `holds` in it, and a token that differs from the last.
    """

    def __init__(self, texts: Sequence[str], token: str | None = None, holds: str = "") -> None:
        self._texts = cycle([text.encode() for text in texts])
        self._token = b"" if token is None else token.encode()
        head, _, body = texts[0].encode().partition(b"\r\n\r\n")
        self._head = b"".join(line + b"\r\n" for line in head.split(b"\r\n") if not line.startswith(b"Content-Length"))
        self._body = body.split(_REFRESH) if token is not None else None
        self._numbers = count(1)
        self._holds = holds.encode()
        self._received = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    async def connect(self, port: int) -> None:
        self._received = b""
        await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", port)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0 or self._answer is None:
            return
        status = int(self._received[9:12])
        length = 0 if status in {204, 304} else _length(self._received[:end])
        if length is None:
            self._answer_chunked(status, end + 4)
        elif len(self._received) >= (whole := end + 4 + length):
            body, self._received = self._received[end + 4 : whole], self._received[whole:]
            self._answer.set_result((status, body))

    def _answer_chunked(self, status: int, start: int) -> None:
        """As nothing is asked before an answer is whole, its last chunk is the end of what came."""
        if self._answer is not None and self._received.endswith(b"\r\n0\r\n\r\n"):
            body, self._received = _of_chunks(self._received[start:]), b""
            self._answer.set_result((status, body))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("the server closed a connection before it answered"))

    def close(self) -> None:
        self._transport.close()

    async def ask(self) -> int:
        """Send the request and read the whole answer; give its status, or WRONG. Raises OSError when the connection is lost."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(self._next())
        status, body = await self._answer
        if status >= 300:
            return status
        if self._body is not None and not self._took_token(body):
            return WRONG
        return status if self._holds in body else WRONG

    def _next(self) -> bytes:
        if self._body is not None:
            body = self._token.join(self._body)
            return b"%sContent-Length: %d\r\n\r\n%s" % (self._head, len(body), body)
        text = next(self._texts)
        return text.replace(_NUMBER, b"%0*d" % (len(_NUMBER), next(self._numbers))) if _NUMBER in text else text

    def _took_token(self, body: bytes) -> bool:
        start = body.find(_REFRESH_TOKEN) + len(_REFRESH_TOKEN)
        before, self._token = self._token, body[start : body.find(b'"', start)]
        return start >= len(_REFRESH_TOKEN) and self._token != before


def _length(head: bytes) -> int | None:
    """Give how long the body is, None when it comes in chunks."""
    lowered = head.lower()
    start = lowered.find(b"content-length: ")
    if start >= 0:
        return int(lowered[start + 16 :].partition(b"\r")[0])
    if b"transfer-encoding: chunked" in lowered:
        return None
    raise RuntimeError("an answer without Content-Length")


def _of_chunks(received: bytes) -> bytes:
    body, at = b"", 0
    while True:
        end = received.index(b"\r\n", at)
        size = int(received[at:end].partition(b";")[0], 16)
        if not size:
            return body
        body += received[end + 2 : end + 2 + size]
        at = end + 2 + size + 2
