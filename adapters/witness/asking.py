"""Submits checkpoints to a witness over HTTP, one at a time, and believes nothing that comes back."""

import asyncio
import http.client
import ssl
import time
from concurrent.futures import Executor
from urllib.parse import urlsplit

from msgspec import Struct

TIMEOUT_S = 3.0
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
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._add, submission)

    def _add(self, submission: bytes) -> Reply:
        connection = self._connection()
        until = time.monotonic() + TIMEOUT_S
        try:
            headers = {"Content-Type": "text/plain; charset=utf-8", "User-Agent": _USER_AGENT}
            connection.request("POST", self._path, submission, headers)
            answer = connection.getresponse()
            body = b""
            while part := answer.read1(LONGEST_ANSWER):  # one that sends a byte now and then would hold a thread for ever
                body += part
                if len(body) > LONGEST_ANSWER or time.monotonic() > until:
                    raise WitnessAway("its answer does not end")
            return Reply(status=answer.status, body=body.decode(), media_type=answer.headers.get_content_type())
        except (OSError, http.client.HTTPException, UnicodeDecodeError) as error:
            raise WitnessAway(type(error).__name__) from None
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if self._trust is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
        return http.client.HTTPSConnection(self._host, self._port, timeout=TIMEOUT_S, context=self._trust)
