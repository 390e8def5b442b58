"""An answer that goes on for long ends with its credential."""

import asyncio
from typing import Any

import pytest

from driven import BEARER, Gate, ask, awaited, whoami
from minos_sdk.asgi import MinosMiddleware
from minos_sdk.identity import Identity


async def streaming(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": b"tick", "more_body": True})
        await asyncio.sleep(0)


class Streamed:
    """A client's end of an answer that goes on."""

    def __init__(self, app: Any) -> None:
        self.to, self.sent = asyncio.Queue[Any](), asyncio.Queue[Any]()
        self.to.put_nowait({"type": "http.request", "body": b"", "more_body": False})
        scope = {"type": "http", "method": "GET", "path": "/events", "headers": [BEARER], "query_string": b""}
        self.serving = asyncio.create_task(awaited(app(scope, self.to.get, self.sent.put)))

    async def pieces(self, n: int) -> None:
        for _ in range(n):
            assert await self.sent.get()


async def test_attack_revoked_session_goes_on_over_an_answer_that_never_ends() -> None:
    gate = Gate()
    streamed = Streamed(MinosMiddleware(streaming, gate))
    await streamed.pieces(5)
    assert gate.watched == 1
    gate.revoked.set()
    with pytest.raises(OSError, match="token_revoked"):
        await streamed.serving
    assert gate.watched == 0


async def test_a_long_answer_ends_with_its_last_piece() -> None:
    async def long(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for piece in range(3):
            await send({"type": "http.response.body", "body": b"tick", "more_body": piece < 2})

    gate = Gate()
    streamed = Streamed(MinosMiddleware(long, gate))
    await streamed.serving
    assert (streamed.sent.qsize(), gate.watched) == (4, 0)


async def test_nothing_is_watched_for_an_answer_in_one_piece() -> None:
    class Watchful(Gate):
        def watching(self, identity: Identity) -> Any:
            raise AssertionError

    assert (await ask(MinosMiddleware(whoami, Watchful()), BEARER))[0] == 200
