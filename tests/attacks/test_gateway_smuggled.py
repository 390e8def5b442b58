"""A request hidden in another: what the gateway takes for the body of an open request, and the service behind it for one of its own."""

import asyncio

import pytest

from tests.behind_gateways import SHOP, Gateway

HIDDEN = "GET /orders/admin/1 HTTP/1.1\r\nHost: x\r\n\r\n"
BODY = f"0\r\n\r\n{HIDDEN}"
LENGTH = f"Content-Length: {len(BODY)}"
SMUGGLED = {
    "length and chunks": [LENGTH, "Transfer-Encoding: chunked"],
    "chunks and length": ["Transfer-Encoding: chunked", LENGTH],
    "chunks spelled oddly": [LENGTH, "Transfer-Encoding: xchunked"],
    "chunks behind another": [LENGTH, "Transfer-Encoding: identity, chunked"],
    "chunks told twice": ["Transfer-Encoding: chunked", "Transfer-Encoding: identity", LENGTH],
    "chunks after a tab": [LENGTH, "Transfer-Encoding:\tchunked"],
    "chunks after a space in the name": [LENGTH, "Transfer-Encoding : chunked"],
    "chunks on a folded line": [LENGTH, "X: y\r\n Transfer-Encoding: chunked"],
    "chunks with an underscore": [LENGTH, "Transfer_Encoding: chunked"],
    "two lengths": ["Content-Length: 5", LENGTH],
    "a length with a sign": [f"Content-Length: +{len(BODY)}"],
    "a length with a comma": [f"Content-Length: 5, {len(BODY)}"],
    "a length with an underscore": ["Content-Length: 5", f"Content_Length: {len(BODY)}"],
    "a carriage return alone": [LENGTH, "X: y\rTransfer-Encoding: chunked"],
    "another protocol": [LENGTH, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"],
    "a WebSocket that is none": [LENGTH, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 99"],
    "a length taken out on the way": [LENGTH, "Connection: Content-Length"],
}


@pytest.mark.parametrize("fields", SMUGGLED.values(), ids=SMUGGLED)
async def test_attack_request_in_the_body_of_another(gateway: Gateway, fields: list[str]) -> None:
    before = len(gateway.reached)
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    head = "\r\n".join(["POST /open/1 HTTP/1.1", f"Host: {SHOP}", *fields])
    writer.write(f"{head}\r\n\r\n{BODY}".encode())
    await _said(reader)
    writer.close()
    for _ in range(2):  # over the connection to the service that was used
        await gateway.ask("/open/2")
    assert {path for path in gateway.reached[before:] if not path.startswith("/open/")} == set()


async def _said(reader: asyncio.StreamReader) -> bytes:
    said = b""
    try:
        async with asyncio.timeout(0.1):
            while piece := await reader.read(65_536):
                said += piece
    except (TimeoutError, ConnectionError):
        pass
    return said
