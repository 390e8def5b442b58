"""Where log lines go: gathered for a moment, so that a busy event loop writes many with one call."""

import asyncio
import atexit
from threading import Lock
from typing import TextIO

GATHER_SECONDS = 0.05
GATHER_CHARACTERS = 32_768


class Outlet:
    """A text stream for structlog's write logger. Lines leave at once outside an event loop, else after 50 ms or 32,768 characters.

    What a process gathered and did not write when it is killed with -9 is lost: at most those 50 ms of lines.
    The record of what happened is the log of events, not these lines.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = Lock()
        self._gathered: list[str] = []
        self._length = 0
        self._promised: asyncio.AbstractEventLoop | None = None
        atexit.register(self.drain)

    def write(self, text: str) -> int:
        with self._lock:
            self._gathered.append(text)
            self._length += len(text)
        return len(text)

    def flush(self) -> None:
        """Called after each line."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        if loop is None or self._length >= GATHER_CHARACTERS:
            self.drain()
        elif self._promised is not loop:
            self._promised = loop
            loop.call_later(GATHER_SECONDS, self._keep_promise)

    def drain(self) -> None:
        with self._lock:
            text, self._gathered, self._length = "".join(self._gathered), [], 0
            if text and not self._stream.closed:  # closed under us, where a process only lent its stream: nobody reads there
                self._stream.write(text)
                self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def _keep_promise(self) -> None:
        self._promised = None
        self.drain()
