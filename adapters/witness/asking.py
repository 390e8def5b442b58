"""Submits checkpoints to a witness over HTTP, one at a time, and believes nothing that comes back."""

import asyncio
import http.client
import socket
import ssl
from concurrent.futures import Executor
from contextlib import suppress
from urllib.parse import urlsplit

from msgspec import Struct

TIMEOUT_S = 3.0
"""For connecting, and for each piece of an answer."""
WHOLE_S = 5.0
LONGEST_ANSWER = 65_536
_USER_AGENT = "minos"


class WitnessAway(Exception):
    """No whole answer came in time. The message says in a word what did."""


class Reply(Struct, frozen=True, kw_only=True):
    status: int
    body: str
    media_type: str


class WitnessLine:
    """`url` is the submission prefix. Redirects are not followed: the answer counts by its signature, the question is public."""

    def __init__(self, url: str, executor: Executor) -> None:
        parts = urlsplit(url)
        self._host, self._port, self._secure = parts.hostname or "", parts.port, parts.scheme == "https"
        self._path = f"{parts.path.rstrip('/')}/add-checkpoint"
        self._executor = executor
        self._trust = ssl.create_default_context() if self._secure else None

    async def add(self, submission: bytes) -> Reply:
        """Raises WitnessAway."""
        connection, opened = self._connection(), list[socket.socket]()
        asked = asyncio.get_running_loop().run_in_executor(self._executor, self._add, connection, opened, submission)
        try:
            async with asyncio.timeout(WHOLE_S):
                return await asyncio.shield(asked)
        except TimeoutError:
            raise WitnessAway("its answer does not end") from None
        finally:
            _hang_up(opened[0] if opened else connection.sock)  # one that sends a byte now and then would hold the thread for ever
            asked.add_done_callback(_let_go)

    def _add(self, connection: http.client.HTTPConnection, opened: list[socket.socket], submission: bytes) -> Reply:
        """`opened` gets the socket, which the connection lets go of once it has the head of an answer."""
        try:
            connection.connect()
            opened.append(connection.sock)
            headers = {"Content-Type": "text/plain; charset=utf-8", "User-Agent": _USER_AGENT}
            connection.request("POST", self._path, submission, headers)
            with connection.getresponse() as answer:
                body = answer.read(LONGEST_ANSWER + 1)
            if len(body) > LONGEST_ANSWER:
                raise WitnessAway("its answer is too long")
            return Reply(status=answer.status, body=body.decode(), media_type=answer.headers.get_content_type())
        except (OSError, http.client.HTTPException, UnicodeDecodeError) as error:
            raise WitnessAway(type(error).__name__) from None
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if self._trust is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
        return http.client.HTTPSConnection(self._host, self._port, timeout=TIMEOUT_S, context=self._trust)


def _hang_up(reading: socket.socket | None) -> None:
    """Wake whoever reads from it. Of one that is closed, or not there yet, nothing is to be done: that ends by itself."""
    if reading is not None:
        with suppress(OSError):
            reading.shutdown(socket.SHUT_RDWR)


def _let_go(asked: asyncio.Future[Reply]) -> None:
    """What comes of it now is nobody's."""
    if not asked.cancelled():
        asked.exception()
