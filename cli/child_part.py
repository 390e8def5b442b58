"""A part of `minos up` that is this same command in a process of its own: the API, the workers."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from adapters.children import CannotStart, exited, spawn, stop

_READY_S = 30.0
_POLL_S = 0.02


class ChildPart:
    """Runs `minos <arguments>`. `launch` starts it early: it imports its code and waits; `start` hands it its settings.

    `ready` tells whether it does its work yet. Stopping is by SIGTERM, with `grace_s` seconds before it is killed. When we are gone
    the kernel sends it `when_orphaned`.
    """

    def __init__(
        self,
        *arguments: str,
        settings: Callable[[], Mapping[str, str | None]],
        ready: Callable[[], Awaitable[bool]],
        grace_s: float,
        when_orphaned: signal.Signals = signal.SIGTERM,
    ) -> None:
        self._arguments = arguments
        self._settings = settings
        self._ready = ready
        self._grace_s = grace_s
        self._when_orphaned = when_orphaned
        self._child: subprocess.Popen[bytes] | None = None
        self._pipe: int | None = None

    @property
    def pid(self) -> int | None:
        return None if self._child is None else self._child.pid

    def launch(self) -> None:
        if self._child is not None:
            return
        reading, self._pipe = os.pipe()
        argv = [
            sys.executable,
            "-P",
            "-m",
            "cli.main",
            *self._arguments,
            "--settings-fd",
            str(reading),
        ]  # -P: never code from the current folder
        try:
            self._child = spawn(argv, cwd=Path.cwd(), output=None, env=os.environ, pass_fds=[reading], when_orphaned=self._when_orphaned)
        finally:
            os.close(reading)

    async def start(self) -> None:
        """Raises CannotStart when it ends, or is not ready within 30 s."""
        self.launch()
        child = self._child
        if child is None or self._pipe is None:
            raise CannotStart(f"minos {self._arguments[0]} was started twice")
        with suppress(BrokenPipeError), os.fdopen(self._pipe, "wb") as pipe:
            self._pipe = None
            pipe.write(msgspec.json.encode(dict(self._settings())))
        try:
            async with asyncio.timeout(_READY_S):
                while not await self._ready():
                    if (code := child.poll()) is not None:
                        raise CannotStart(f"minos {self._arguments[0]} ended while starting (exit code {code}); its messages are above")
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            raise CannotStart(f"minos {self._arguments[0]} was not ready within {_READY_S:.0f} s") from None

    async def exited(self) -> int:
        if self._child is None:
            raise CannotStart(f"minos {self._arguments[0]} was not started")
        return await exited(self._child)

    async def stop(self) -> None:
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None
        if self._child is not None:
            await stop(self._child, (signal.SIGTERM, self._grace_s))
            self._child = None


def working(folder: Path) -> Callable[[], Awaitable[bool]]:
    """For the workers: they have begun. One that waits for a store that is away is no reason to start all of them again."""

    async def ready() -> bool:
        from adapters.metrics_server import workers_ready

        return bool(workers_ready(folder))

    return ready


def answers(host: str, port: int, *, name: str) -> Callable[[], Awaitable[bool]]:
    """For the API: its readiness check answers 200. `name` is a host name it serves."""
    address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    request = f"GET /health/ready HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode()

    async def ready() -> bool:
        try:
            async with asyncio.timeout(2):
                reader, writer = await asyncio.open_connection(address, port)
                writer.write(request)
                status = await reader.readline()
                writer.close()
                await writer.wait_closed()
        except (OSError, TimeoutError):
            return False
        return status.split(b" ")[1:2] == [b"200"]

    return ready
