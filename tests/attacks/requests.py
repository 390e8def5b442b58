"""Requests as the edge is given them, and as they are on the wire."""

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit

from api.asgi import Message, Receive
from bench.running import Running


def given(body: bytes) -> tuple[dict[bytes, bytes], Receive]:
    """Give the header fields and the body of a JSON request."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return {b"content-type": b"application/json", b"content-length": b"%d" % len(body)}, receive


async def exchange(running: Running, sent: bytes) -> bytes:
    """Send bytes as they are and give what comes back within two seconds."""
    address = urlsplit(running.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    answer = b""
    try:
        writer.write(sent)
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(2):
                while part := await reader.read(65_536):
                    answer += part
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    return answer
