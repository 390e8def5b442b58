"""What a way for signals to get here is."""

from typing import Protocol

import httpx

from minos_sdk.receiver import Receiver


class Feed(Protocol):
    async def run(self, receiver: Receiver, http: httpx.AsyncClient) -> None:
        """Bring signals to the receiver until cancelled. Whatever goes wrong is tried again: silence alone makes the verifier blind."""
        ...
