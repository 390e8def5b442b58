"""Modules of ours run as processes of their own, fed through their input: none outlives the block that it was started for."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager


class Child:
    """One of them. It ends when it has done what it was given and its input is closed."""

    def __init__(self, module: str, process: asyncio.subprocess.Process) -> None:
        self._module, self._process = module, process
        assert process.stdin is not None
        assert process.stdout is not None
        self._given, self._said = process.stdin, process.stdout

    async def give(self, data: bytes) -> None:
        self._given.write(data)
        await self._given.drain()

    def give_no_more(self) -> None:
        self._given.close()

    async def line(self) -> bytes:
        """Give the next line it writes. Raises RuntimeError when there is none."""
        if line := await self._said.readline():
            return line
        raise RuntimeError(f"{self._module} ended with exit code {await self._process.wait()}")

    async def lines(self) -> AsyncIterator[bytes]:
        """Give what it writes until it ends. Raises RuntimeError when it fails."""
        async for line in self._said:
            yield line
        if code := await self._process.wait():
            raise RuntimeError(f"{self._module} ended with exit code {code}")


@asynccontextmanager
async def child(module: str, env: Mapping[str, str] | None = None) -> AsyncGenerator[Child]:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, stdin=PIPE, stdout=PIPE, env=env)
    try:
        yield Child(module, process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
