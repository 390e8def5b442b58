"""A witness over HTTP, in plain ASGI (C2SP tlog-witness): one address, small bodies, and no more at a time than it can judge."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import structlog

from adapters.witness.memory import MemoryAway
from adapters.witness.witness import Answer, Witness
from api.asgi import Receive, Scope, Send
from domain.tree.submission import LONGEST_SUBMISSION

ADDRESS = "/add-checkpoint"
MOST_WAITING = 64
"""Each waits for the disk once: more than these would wait for seconds."""
BODY_SECONDS = 10.0


class _Refused(Exception):
    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.answer = Answer(status=status, body=f"{status.phrase}\n")


class WitnessApp:
    """`make` opens the witness, in the one thread that it is asked in."""

    def __init__(self, make: Callable[[], Witness]) -> None:
        self._make = make
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="witness")
        self._witness: Witness | None = None
        self._waiting = 0
        self._log = structlog.get_logger()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await _answer(await self._answered(scope, receive), send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._witness = await asyncio.get_running_loop().run_in_executor(self._thread, self._make)
                await send({"type": "lifespan.startup.complete"})
            else:
                await asyncio.to_thread(self._thread.shutdown)
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _answered(self, scope: Scope, receive: Receive) -> Answer:
        try:
            if scope["path"] != ADDRESS:
                raise _Refused(HTTPStatus.NOT_FOUND)
            if scope["method"] != "POST":
                raise _Refused(HTTPStatus.METHOD_NOT_ALLOWED)
            body = await _body(scope, receive)  # before it takes a place: a body that does not come keeps nobody out
            if self._witness is None or self._waiting >= MOST_WAITING:
                raise _Refused(HTTPStatus.SERVICE_UNAVAILABLE)
            self._waiting += 1
            try:
                return await asyncio.get_running_loop().run_in_executor(self._thread, self._witness.add, body)
            finally:
                self._waiting -= 1
        except _Refused as refused:
            return refused.answer
        except MemoryAway as away:
            self._log.error("witness_memory_away", reason=str(away))
            return _Refused(HTTPStatus.SERVICE_UNAVAILABLE).answer
        except Exception as error:  # noqa: BLE001 - the last line: whatever it is, nothing is cosigned
            self._log.error("request_failed", exc_info=error)
            return _Refused(HTTPStatus.INTERNAL_SERVER_ERROR).answer


async def _body(scope: Scope, receive: Receive) -> bytes:
    """Read it whole, as far as it is not too long or too slow."""
    length = dict(scope["headers"]).get(b"content-length", b"0")
    if not length.isdigit() or len(length) > 18 or int(length) > LONGEST_SUBMISSION:
        raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    body, more = b"", True
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while more:
                message = await receive()
                if message["type"] != "http.request":
                    raise _Refused(HTTPStatus.BAD_REQUEST)
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > LONGEST_SUBMISSION:
                    raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    except TimeoutError:
        raise _Refused(HTTPStatus.REQUEST_TIMEOUT) from None
    return body


async def _answer(answer: Answer, send: Send) -> None:
    body = answer.body.encode()
    headers = [
        (b"content-type", answer.media_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if answer.status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append((b"allow", b"POST"))
    if answer.status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": answer.status.value, "headers": headers})
    await send({"type": "http.response.body", "body": body})
