"""A WebSocket that lasts no longer than its credential."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from minos_sdk.admission import Caller, Verifies
from minos_sdk.answers import Message, Receive, Scope, Send, close, close_code, deny
from minos_sdk.errors import MinosError
from minos_sdk.standing import ClosedByRefusal, until_refused

REFUSED = "minos.refused"
"""Where in the scope a framework that makes a close of every exception leaves why."""


class OpenSocket:
    """Stands between an application and its server. One `receive` and one `send` at a time, as ASGI has it."""

    def __init__(self, scope: Scope, first: Message, receive: Receive, send: Send) -> None:
        """`first`: the message that opens it, which the application gets whatever happens meanwhile."""
        self._scope = scope
        self._first: Message | None = first
        self._receive = receive
        self._send = send
        self._sending = asyncio.Lock()
        self._over: asyncio.Future[MinosError] = asyncio.get_running_loop().create_future()
        self._asked: asyncio.Task[Message] | None = None
        self._accepted = self._closed = False

    async def receive(self) -> Message:
        """Give the next message, or that it is over, whichever comes first."""
        first, self._first = self._first, None
        if first is not None:
            return first
        if self._asked is None:
            self._asked = asyncio.create_task(_of(self._receive))
        either: set[asyncio.Future[Any]] = {self._asked, self._over}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if self._over.done():
            return {"type": "websocket.disconnect", "code": close_code(self._over.result()), "reason": str(self._over.result().code)}
        message = self._asked.result()
        self._asked = None
        self._closed |= message["type"] == "websocket.disconnect"
        return message

    async def send(self, message: Message) -> None:
        """Raises ClosedByRefusal when it is over."""
        async with self._sending:
            if self._over.done():
                raise ClosedByRefusal(str(self._over.result().code))
            self._accepted |= message["type"] == "websocket.accept"
            if message["type"] == "websocket.close" and not self._accepted and REFUSED in self._scope:
                self._closed = True
                await deny(self._scope, self._send, self._scope[REFUSED])
                return
            self._closed |= message["type"] in {"websocket.close", "websocket.http.response.start"}
            await self._send(message)

    async def end(self, refused: MinosError) -> None:
        """Let nothing pass from now on, and close it, or deny it where it was not accepted yet."""
        if self._over.done() or self._closed:
            return
        self._over.set_result(refused)
        async with self._sending:
            if self._accepted:
                await close(self._send, refused)
            else:
                await deny(self._scope, self._send, refused)

    @asynccontextmanager
    async def watched(self, verifier: Verifies, caller: Caller) -> AsyncGenerator[None]:
        """End it as soon as the caller's credential is refused."""
        watching = asyncio.create_task(self._watch(verifier, caller))
        try:
            yield
        finally:
            tasks: list[asyncio.Task[Any]] = [watching] if self._asked is None else [watching, self._asked]
            for task in tasks:
                if task is not watching or not self._over.done():  # a closing under way is let through
                    task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self, verifier: Verifies, caller: Caller) -> None:
        await self.end(await until_refused(verifier, caller))


async def _of(receive: Receive) -> Message:
    return await receive()
