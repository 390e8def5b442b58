"""What the load driver takes for a good answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from bench.connection import WRONG, Connection
from bench.load import request

HEAD = b"HTTP/1.1 200 OK\r\n"
Answer = Callable[[bytes], list[bytes]]


@asynccontextmanager
async def answering(answer: Answer, text: str, token: str | None = None, holds: str = "") -> AsyncIterator[Callable[[], Awaitable[int]]]:
    """Have a server that answers each request with these pieces, and closes where there are none."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while received := await reader.read(65_536):
            pieces = answer(received)
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            if not pieces:
                break
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    connection = Connection([text], token, holds)
    await connection.connect(server.sockets[0].getsockname()[1])
    yield connection.ask
    connection.close()
    server.close()


def sized(body: bytes) -> list[bytes]:
    return [HEAD + b"Content-Length: %d\r\n\r\n" % len(body), body]


CHUNKED = [HEAD + b'Transfer-Encoding: chunked\r\n\r\n4;x=y\r\n{"ac\r\n', b'9\r\ntive":tr}\r\n', b"0\r\n\r\n"]


async def test_body_in_chunks_is_put_together() -> None:
    async with answering(lambda _: CHUNKED, request("GET", "/"), holds='{"active":tr}') as ask:
        assert [await ask(), await ask()] == [200, 200]


@pytest.mark.parametrize("pieces", [sized(b'{"active":false}'), [*CHUNKED[:1], b"0\r\n\r\n"]], ids=["sized", "chunked"])
async def test_answer_that_does_not_hold_what_it_must_is_wrong(pieces: list[bytes]) -> None:
    async with answering(lambda _: pieces, request("GET", "/"), holds='"active":true') as ask:
        assert await ask() == WRONG


async def test_refusal_is_what_it_says_whatever_it_holds() -> None:
    refusal = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2\r\n\r\nno"
    async with answering(lambda _: [refusal], request("GET", "/"), holds="yes") as ask:
        assert await ask() == 429


async def test_each_refresh_sends_the_token_of_the_answer_before() -> None:
    asked: list[bytes] = []

    def rotate(received: bytes) -> list[bytes]:
        asked.append(received.partition(b"\r\n\r\n")[2])
        return sized(b'{"refresh_token":"%s"}' % (b"second", b"third")[min(1, len(asked) - 1)])

    text = request("POST", "/", body={"refresh_token": "<refresh>"})
    async with answering(rotate, text, token="first") as ask:
        assert [await ask(), await ask(), await ask()] == [200, 200, WRONG]  # the third is what it was
    assert asked == [b'{"refresh_token":"first"}', b'{"refresh_token":"second"}', b'{"refresh_token":"third"}']


async def test_each_request_has_another_number_of_the_same_length() -> None:
    asked: list[bytes] = []

    def note(received: bytes) -> list[bytes]:
        asked.append(received.partition(b"\r\n\r\n")[2])
        return sized(b"{}")

    async with answering(note, request("POST", "/", body="<number>")) as ask:
        await ask()
        await ask()
    assert asked == [b'"00000001"', b'"00000002"']


async def test_connection_that_ends_unanswered_is_no_answer() -> None:
    async with answering(lambda _: [], request("GET", "/")) as ask:
        with pytest.raises(ConnectionError):
            await ask()
