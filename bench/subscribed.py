"""The process of `bench.subscriber`, as the one that measures talks to it."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

READY_S = 30.0
ANSWER_S = 60.0
END_S = 5.0


class Subscribed:
    def __init__(self, process: Process) -> None:
        self._process = process

    async def ask(self, question: str) -> Any:
        """Raises TimeoutError, or RuntimeError when it has ended."""
        pipe = self._process.stdin
        if pipe is None:
            raise RuntimeError("the subscriber has no input")
        pipe.write(f"{question}\n".encode())
        await pipe.drain()
        return json.loads(await self.line(ANSWER_S))

    async def line(self, seconds: float) -> str:
        pipe = self._process.stdout
        async with asyncio.timeout(seconds):
            line = b"" if pipe is None else await pipe.readline()
        if not line:
            raise RuntimeError("the subscriber has ended")
        return line.decode().strip()


@asynccontextmanager
async def subscribed(**given: str) -> AsyncGenerator[Subscribed]:
    """Run it until the block ends; it is ready when the block begins. `given` goes through a pipe: a secret is in no list of processes."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.subscriber", stdin=PIPE, stdout=PIPE, limit=64 * 2**20
    )  # fmt: skip
    try:
        subscriber = Subscribed(process)
        if process.stdin is not None:
            process.stdin.write(json.dumps(given).encode() + b"\n")
        if await subscriber.line(READY_S) != "ready":
            raise RuntimeError("the subscriber did not get ready")
        yield subscriber
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await _ended(process)


async def _ended(process: Process) -> None:
    try:
        async with asyncio.timeout(END_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def all_seen(subscriber: Subscribed, wanted: Mapping[str, float], within: float) -> dict[str, float]:
    """Give when each of these sessions was refused. Raises TimeoutError where one still is not."""
    seen: dict[str, float] = {}
    async with asyncio.timeout(within):
        while True:
            seen |= await subscriber.ask("seen")
            if wanted.keys() <= seen.keys():
                return {name: seen[name] for name in wanted}
            await asyncio.sleep(0.05)
