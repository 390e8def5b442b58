"""An answer that goes on for as long as its source has something and its reader takes it in."""

import asyncio
import math
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractContextManager, aclosing, suppress
from typing import Any

import structlog
from litestar import Litestar, Request, Response
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

STALLED_SECONDS = 10.0
"""A reader who takes nothing in for so long is cut off: nothing is kept for it meanwhile but what the connection holds."""


class Streamed(Response[bytes]):
    """Closes its source whenever the answer ends, and ends without a last word where the reader has gone, stalls, or has not taken it in
    `within` so many seconds. `counted` is entered before anything is sent, and left whatever becomes of the answer."""

    def __init__(
        self,
        source: AsyncGenerator[bytes],
        *,
        media_type: str,
        headers: Mapping[str, str],
        counted: AbstractContextManager[None],
        within: float | None = None,
    ) -> None:
        super().__init__(b"", media_type=media_type)
        self._sending = _Sending(source, media_type=media_type, headers=dict(headers), counted=counted, within=within)

    def to_asgi_response(self, app: Litestar | None, request: Request[Any, Any, Any], **_: Any) -> ASGIResponse:  # noqa: ARG002 - the framework's
        return self._sending


class _Sending(ASGIResponse):
    _should_set_content_length = False

    def __init__(
        self,
        source: AsyncGenerator[bytes],
        *,
        media_type: str,
        headers: dict[str, Any],
        counted: AbstractContextManager[None],
        within: float | None,
    ) -> None:
        super().__init__(media_type=media_type, headers=headers)
        self._source = source
        self._counted = counted
        self._within = within

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._counted:
            await super().__call__(scope, receive, send)

    async def send_body(self, send: Send, receive: Receive) -> None:
        sending = asyncio.create_task(self._send(send), name="streamed answer")
        gone = asyncio.create_task(_until_gone(receive), name="reader of a streamed answer")
        try:
            await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, gone):
                task.cancel()
            await asyncio.wait({sending, gone})
        if not sending.cancelled() and (error := sending.exception()) is not None:
            raise error

    async def _send(self, send: Send) -> None:
        loop = asyncio.get_running_loop()
        end = math.inf if self._within is None else loop.time() + self._within
        async with aclosing(self._source) as chunks:
            async for chunk in chunks:
                try:
                    async with asyncio.timeout_at(min(loop.time() + STALLED_SECONDS, end)):
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
                except TimeoutError:
                    structlog.get_logger().warning("reader_cut_off")
                    return
        with suppress(TimeoutError):
            async with asyncio.timeout(STALLED_SECONDS):
                await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
