"""Signals by asking again and again: needs nothing but HTTP, and is as fresh as it asks often."""

import asyncio
from random import SystemRandom

import httpx

from minos_sdk import given
from minos_sdk.feeds.snapshots import SOURCE, Snapshots
from minos_sdk.ports import TokenSource
from minos_sdk.receiver import Receiver

_chance = SystemRandom()


class PollingFeed:
    """minos_sdk.feeds.feed.Feed over `GET /api/v1/signals/snapshot`."""

    def __init__(self, token_source: TokenSource, *, every: float = 2.0) -> None:
        """`every`: seconds. Above 5, the verifier is blind in between, and its policy has to accept that."""
        given.able("token_source", token_source, "token", wanted=SOURCE)
        given.number("every", every, least=0.001)
        self._token_source = token_source
        self._every = every

    async def run(self, receiver: Receiver, http: httpx.AsyncClient) -> None:
        snapshots = Snapshots(receiver, http, self._token_source)
        while True:
            await snapshots.take()
            await asyncio.sleep(self._every * _chance.uniform(0.9, 1.1))
