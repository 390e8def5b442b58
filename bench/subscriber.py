"""A service with the SDK, as a process of its own: it says when it would have refused what. `python -m bench.subscriber`, driven by lines.

Each line of its input is a question, each line of its output the answer. Times are of CLOCK_MONOTONIC, which a machine's processes share.
"""

import asyncio
import json
import sys
import time
from typing import Any

from minos_sdk import REFUSE, ClientSecret, NatsFeed, ServiceTokens, Verifier
from minos_sdk.facts import Fact, SessionEnded

POLL_S = 0.002


class Service:
    """`seen`: the sessions whose tokens are refused from now on, and since when."""

    def __init__(self, verifier: Verifier) -> None:
        self.verifier = verifier
        self._seen: dict[str, float] = {}
        verifier.on_revoked(self._heard)

    def _heard(self, fact: Fact) -> None:
        if isinstance(fact, SessionEnded):
            self._seen[fact.session_id] = time.monotonic()

    async def answer(self, question: str) -> Any:
        match question:
            case "seen":
                seen, self._seen = self._seen, {}
                return seen
            case "blind":
                return await self._once(blind=True)
            case "sighted":
                return await self._once(blind=False)
            case _:
                return self.verifier.metrics()

    async def _once(self, *, blind: bool) -> float:
        while self.verifier.is_blind is not blind:
            await asyncio.sleep(POLL_S)
        return time.monotonic()


async def serve(issuer: str, nats: str, client_id: str, secret: str, audience: str) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with ServiceTokens(issuer, ClientSecret(client_id, secret)) as tokens:
        verifier = Verifier(issuer=issuer, audience=audience, feed=NatsFeed(nats, tokens), on_blind=REFUSE)
        service = Service(verifier)
        async with verifier:
            await verifier.wait_until_ready()
            print("ready", flush=True)
            while line := (await reader.readline()).decode().strip():
                print(json.dumps(await service.answer(line)), flush=True)


if __name__ == "__main__":
    given = json.loads(sys.stdin.readline())
    asyncio.run(serve(**given))
