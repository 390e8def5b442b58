"""An answer that goes on and on, as server-sent events do, and says nothing more once its credential is over."""

import asyncio

from minos_sdk.admission import Caller, Verifies
from minos_sdk.answers import Message, Send
from minos_sdk.errors import MinosError
from minos_sdk.standing import ClosedByRefusal, until_refused


class OpenAnswer:
    """Stands between an application and its server. What is answered in one piece is let through as it is."""

    def __init__(self, send: Send, verifier: Verifies, caller: Caller) -> None:
        self._send = send
        self._verifier = verifier
        self._caller = caller
        self._watching: asyncio.Task[MinosError] | None = None
        self.begun = False

    async def send(self, message: Message) -> None:
        """Raises ClosedByRefusal when it is over: the server then breaks the connection off, and the client sees that."""
        self.begun = True
        if message["type"] == "http.response.body" and (self._watching is not None or message.get("more_body", False)):
            if self._watching is None:
                self._watching = asyncio.create_task(until_refused(self._verifier, self._caller))
            if self._watching.done():
                raise ClosedByRefusal(str(self._watching.result().code))
        await self._send(message)

    async def close(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
