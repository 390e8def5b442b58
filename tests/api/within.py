"""HTTP to the application without a socket, for answers that come in pieces: they reach the client as they are sent."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx

from api.edge import Edge


class Within(httpx.AsyncBaseTransport):
    """The way to an application that may be away, and back again as another one."""

    def __init__(self, edge: Edge) -> None:
        self.edge: Edge | None = edge
        self.asked: list[httpx.Request] = []
        self.open: set[_Answer] = set()

    def of(self, end: str) -> list[httpx.Request]:
        return [request for request in self.asked if request.url.path.endswith(end)]

    async def lose(self) -> None:
        """Be away, with every connection there was."""
        self.edge = None
        for answer in list(self.open):
            answer.pieces.put_nowait(None)
            await answer.aclose()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.edge is None:
            raise httpx.ConnectError("nobody is there")
        answer = _Answer(self, self.edge, request, await request.aread())
        self.open.add(answer)
        await answer.started.wait()
        return httpx.Response(answer.status, headers=answer.headers, stream=answer)


class _Answer(httpx.AsyncByteStream):
    def __init__(self, way: Within, edge: Edge, request: httpx.Request, body: bytes) -> None:
        self._way = way
        self._body = body
        self._read = False
        self.pieces: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.started, self.gone = asyncio.Event(), asyncio.Event()
        self.status, self.headers = 0, list[tuple[bytes, bytes]]()
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": request.method, "scheme": "http",
            "path": request.url.path, "raw_path": request.url.raw_path.split(b"?")[0], "query_string": request.url.query, "root_path": "",
            "headers": [(name.lower(), value) for name, value in request.headers.raw], "client": None, "server": None, "state": {},
        }  # fmt: skip
        self._answering = asyncio.create_task(edge(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        if not self._read:
            self._read = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], message["headers"]
            self.started.set()
            return
        self.pieces.put_nowait(message["body"])
        if not message["more_body"]:
            self.pieces.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (piece := await self.pieces.get()) is not None:
            yield piece

    async def aclose(self) -> None:
        self._way.open.discard(self)
        self.gone.set()
        await self._answering
