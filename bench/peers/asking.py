"""One request at a time, for what has to be there before anything is measured."""

import json
import socket
from email.message import Message
from http.client import HTTPResponse
from typing import Any

from msgspec import Struct

_WITHIN_S = 60.0


class Received(Struct, frozen=True):
    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def holds(self, text: str) -> bool:
        return text.encode() in self.body


def asked(port: int, text: str) -> Received:
    """Send a request that bench.load wrote, on a connection of its own. Raises RuntimeError for a status from 400 on."""
    with socket.create_connection(("127.0.0.1", port), timeout=_WITHIN_S) as wire:
        wire.sendall(text.encode())
        answer = HTTPResponse(wire)
        answer.begin()
        received = Received(answer.status, answer.headers, answer.read())
    if received.status >= 400:
        raise RuntimeError(f"{text.partition(' HTTP')[0]} was answered {received.status}: {received.body[:300]!r}")
    return received
