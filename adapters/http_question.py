"""A question over HTTP whose answer comes whole and in time, or not at all: nothing that comes back is believed to end by itself.

A server that sends a byte now and then, in its head or in its body, each in time, would hold a thread for ever: it is hung up on.
"""

import asyncio
import http.client
import socket
import ssl
from collections.abc import Mapping
from concurrent.futures import Executor
from contextlib import suppress
from threading import Lock
from urllib.parse import SplitResult

from msgspec import Struct

_NOTHING: Mapping[str, str] = {}


class NoAnswer(Exception):
    """No whole answer came in time. The message says in a word what did."""


class HttpAnswer(Struct, frozen=True, kw_only=True):
    status: int
    headers: http.client.HTTPMessage
    body: bytes


class HttpServer:
    """Each question has a connection of its own, and is asked once. Redirects are not followed."""

    def __init__(
        self,
        url: SplitResult,
        *,
        piece_s: float,
        whole_s: float,
        longest: int,
        trust: ssl.SSLContext | None = None,
        executor: Executor | None = None,
    ) -> None:
        """`piece_s`: for connecting, and for each piece of an answer; `longest` in bytes. `trust`: for https, the system's by default."""
        self._host, self._port = url.hostname or "", url.port
        self._trust = (trust or ssl.create_default_context()) if url.scheme == "https" else None
        self._piece_s, self._whole_s, self._longest = piece_s, whole_s, longest
        self._executor = executor

    async def ask(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = _NOTHING) -> HttpAnswer:
        """Raises NoAnswer."""
        line = _Line()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._whole_s):
                return await loop.run_in_executor(self._executor, self._ask, line, method, path, body, headers)
        except TimeoutError:
            raise NoAnswer("its answer does not end") from None
        finally:
            line.hang_up()

    def _ask(self, line: "_Line", method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> HttpAnswer:
        connection = self._connection()
        try:
            connection.sock = self._connected(line)
            connection.request(method, path, body, headers)
            with connection.getresponse() as answer:
                found = answer.read(self._longest + 1)
            if len(found) > self._longest:
                raise NoAnswer("its answer is too long")
            return HttpAnswer(status=answer.status, headers=answer.headers, body=found)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise NoAnswer(type(error).__name__) from None
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        """One that is not connected yet: it knows what its server is called."""
        if self._trust is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=self._piece_s)
        return http.client.HTTPSConnection(self._host, self._port, timeout=self._piece_s, context=self._trust)

    def _connected(self, line: "_Line") -> socket.socket:
        port = self._port or (http.client.HTTP_PORT if self._trust is None else http.client.HTTPS_PORT)
        raw = socket.create_connection((self._host, port), timeout=self._piece_s)
        try:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line.hold(raw)
            return raw if self._trust is None else self._trust.wrap_socket(raw, server_hostname=self._host)
        except BaseException:
            raw.close()
            raise


class _Line:
    """What a thread reads from, so that another may end it, whether it has come to reading or not."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._socket: socket.socket | None = None
        self._is_over = False

    def hold(self, read_from: socket.socket) -> None:
        """Raises NoAnswer where nobody waits any more."""
        with self._lock:
            if self._is_over:
                raise NoAnswer("nobody waits for it")
            self._socket = read_from.dup()  # whoever wraps it in TLS, or closes it, leaves this one

    def hang_up(self) -> None:
        with self._lock:
            self._is_over = True
            if self._socket is not None:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)
                self._socket.close()
