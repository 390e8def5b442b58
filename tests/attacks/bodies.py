"""Requests as the edge is given them."""

from api.asgi import Message, Receive


def given(body: bytes) -> tuple[dict[bytes, bytes], Receive]:
    """Give the header fields and the body of a JSON request."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return {b"content-type": b"application/json", b"content-length": b"%d" % len(body)}, receive
