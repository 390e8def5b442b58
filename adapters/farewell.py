"""How the workers of a server hear that it is to stop, before it waits for what they have under way.

A server that was told to stop lets every answer finish, and one that goes on for as long as anybody listens would keep it until it is
killed. So that answers of this kind end by themselves, the process that is told first closes a pipe, whose other end the workers watch;
its death closes it too. Where a load balancer is in front, all goes on for a while after that, so that it and its kept connections leave
before the server does.
"""

import asyncio
import os
import select
import signal
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Self


class Farewell:
    """Made before the workers are forked. The parent says it, a worker hears it."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        self._said = False
        self._again_read, self._again = os.pipe()

    def say(self) -> None:
        if not self._said:
            self._said = True
            os.close(self._write)

    def on_signals(self, *, drain_s: float = 0) -> None:
        """Say it at the first SIGINT or SIGTERM, before whoever handles them now does so: `drain_s` before, after a SIGTERM. A second
        signal ends that wait. Others change nothing: one that came while the first is handled would wait for ever for a lock that this
        holds."""
        self._on_signal(signal.SIGINT, 0)
        self._on_signal(signal.SIGTERM, drain_s)

    def _on_signal(self, number: signal.Signals, drain_s: float) -> None:
        before = signal.getsignal(number)

        def told(given: int, frame: FrameType | None) -> None:
            if self._said:
                os.write(self._again, b"!")
                return
            self.say()
            if not callable(before):
                return
            if drain_s:
                threading.Thread(target=self._then, args=(drain_s, partial(before, given, frame)), daemon=True).start()
            else:
                before(given, frame)

        signal.signal(number, told)

    def _then(self, seconds: float, stop: Callable[[], object]) -> None:
        select.select([self._again_read], [], [], seconds)
        stop()

    def in_worker(self) -> Self:
        """Let go of the end that only the parent may hold."""
        self.say()
        return self

    def heard(self, leaving: asyncio.Event) -> None:
        """Set the event once it is said. Call it in the worker's loop."""
        loop = asyncio.get_running_loop()

        def closed() -> None:
            loop.remove_reader(self._read)
            leaving.set()

        loop.add_reader(self._read, closed)
