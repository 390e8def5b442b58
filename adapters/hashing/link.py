"""The service's side of its hashing process: starts it, asks it, starts another where it ended."""

import asyncio
import os
import re
import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import cast

import structlog

from adapters.hashing import wire

NICENESS = 15
"""Of the hashing process: low enough for token checks to go first, high enough for sign-ins to go on beside a flood of them."""
ANSWER_SECONDS = 10.0
SECONDS_PER_KIB = 5e-6
"""Whoever has not answered after these, the second for each KiB of each pass, was stopped: it is ended, and another started. A slow
machine fills a KiB in 1e-6 s when it does nothing else."""
BEGIN_SECONDS = 10.0
AGAIN_SECONDS = 1.0
"""How long one that could not begin is left alone."""
_PASSED_ON = re.compile(r"PATH|LD_LIBRARY_PATH|LD_PRELOAD|PYTHON[A-Z]+|COVERAGE_PROCESS_START")
"""What it may know of the service's environment, in which there may be secrets."""
_KEEPING_MEMORY = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(1 << 30)}
"""For glibc: what a hash frees stays for the next one until the process gives it back, from one place, where all of it can be."""

log = structlog.stdlib.get_logger()


class HashingEnded(Exception):
    """The process ended before it answered, could not be started, or had no memory."""


@dataclass(frozen=True, slots=True)
class Cost:
    memory_kib: int
    passes: int
    threads: int


class HashingLink:
    """At most one process at a time, from the first question on. What one that was killed left unanswered is asked again, once."""

    def __init__(self, cost: Cost) -> None:
        self._cost = cost
        self._connecting = asyncio.Lock()
        self._process: _Process | None = None
        self._not_before = 0.0
        self._closed = False

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.child.pid

    async def start(self) -> None:
        """Start it unless it runs, and wait until it has begun. Raises HashingEnded."""
        await self._living()

    async def ask(self, about: str, password: str, asked: wire.Asked = wire.Asked.HASH) -> bytes:
        """Give what wire.Asked says. Raises HashingEnded."""
        for _ in range(2):
            process = await self._living()
            try:
                async with asyncio.timeout(ANSWER_SECONDS + SECONDS_PER_KIB * self._cost.memory_kib * self._cost.passes):
                    outcome = await process.ask(about, password, asked)
            except TimeoutError:
                process.give_up("no answer")
                raise HashingEnded("did not answer") from None
            except HashingEnded:
                continue
            if outcome == wire.FAILED:
                raise HashingEnded("no memory for a hash")
            return outcome
        raise HashingEnded("ended twice before it answered")

    def close(self) -> None:
        """End it, also in the middle of a hash."""
        self._closed = True
        if self._process is not None:
            self._process.end()

    async def _living(self) -> "_Process":
        """Give the process, a new one where the old one ended. One that never began is not tried again at once."""
        async with self._connecting:
            if self._process is None or self._process.ended:
                now = asyncio.get_running_loop().time
                if now() < self._not_before:
                    raise HashingEnded("could not begin a moment ago")
                try:
                    await self._begin()
                except HashingEnded:
                    self._not_before = now() + AGAIN_SECONDS
                    raise
            if self._process is None or self._closed:
                raise HashingEnded("closed")
            return self._process

    async def _begin(self) -> None:
        try:
            self._process = process = await _started(self._cost)
        except OSError as error:
            why = os.strerror(error.errno or 0)
            log.warning("hashing_process_not_started", reason=why)
            raise HashingEnded(f"cannot be started: {why}") from None
        try:
            if not self._closed:
                async with asyncio.timeout(BEGIN_SECONDS):
                    await process.begun
        except TimeoutError:
            process.give_up("did not begin")
            raise HashingEnded("did not begin") from None
        finally:
            if self._closed or not process.begun.done() or process.begun.cancelled():
                process.end()


class _Process(asyncio.Protocol):
    """One process, from its start to its end."""

    def __init__(self, child: "subprocess.Popen[bytes]") -> None:
        self.child = child
        self.ended = False
        self.begun: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._asked = 0
        self._waiting: dict[int, asyncio.Future[bytes]] = {wire.READY: self.begun}
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # of a stream socket

    def ask(self, about: str, password: str, asked: wire.Asked) -> "asyncio.Future[bytes]":
        answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        if self.ended:
            answered.set_exception(HashingEnded("ended"))
            return answered
        self._asked = self._asked % 0xFFFF_FFFF + 1  # never that of READY
        message = wire.request(wire.Request(self._asked, about, password, asked))
        self._waiting[self._asked] = answered
        self._transport.write(message)
        return answered

    def data_received(self, data: bytes) -> None:
        self._received += data
        for number, outcome in wire.take_answers(self._received):
            answered = self._waiting.pop(number)
            if not answered.done():
                answered.set_result(outcome)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - how it ended, the exit code says
        self.give_up("ended")

    def give_up(self, why: str) -> None:
        """End it, and say that it was not we who wanted that."""
        if not self.ended:
            self.end()
            log.warning("hashing_process_ended", reason=why, exit_code=self.child.returncode)

    def end(self) -> None:
        """Kill what may be left of it, and tell whoever waits."""
        self.ended = True
        self.child.kill()
        self.child.wait()
        self._transport.abort()
        for answered in self._waiting.values():
            if not answered.done():
                answered.set_exception(HashingEnded("ended"))
        self._waiting.clear()


async def _started(cost: Cost) -> _Process:
    ours, theirs = socket.socketpair()
    try:
        child = _spawned(cost, theirs)
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    _, process = await asyncio.get_running_loop().create_unix_connection(lambda: _Process(child), sock=ours)
    return process


def _spawned(cost: Cost, service: socket.socket) -> "subprocess.Popen[bytes]":
    options = {"memory-kib": cost.memory_kib, "passes": cost.passes, "threads": cost.threads, "niceness": NICENESS, "parent": os.getpid()}
    return subprocess.Popen(  # noqa: S603
        [
            sys.executable,
            "-P",  # never code from the current folder
            "-m",
            "adapters.hashing.process",
            *(f"--{name}={value}" for name, value in options.items()),
        ],
        stdin=service.fileno(),
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # whose share of the cores can be made small, and which no Ctrl-C reaches
        env={name: value for name, value in os.environ.items() if _PASSED_ON.fullmatch(name)} | _KEEPING_MEMORY,
    )
