"""Connections whose other side takes nothing in. The server has no time limit for writing, so the kernel is given one.

Without it, whoever asks for much and reads none of it holds connections for as long as they like, until there are none left.
"""

import os
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

STALLED_SECONDS = 60
"""A slow reader opens its window in large steps: at 5 kB a second it looks for a quarter of a minute as if it took nothing."""
LISTENING_SECONDS = 10.0
_LOOK_SECONDS = 0.02


def end_stalled(port: int, *, seconds: float = STALLED_SECONDS) -> None:
    """End what is accepted at `port` when its other side has taken nothing in for so long (TCP_USER_TIMEOUT, RFC 5482; Linux only).

    Accepted connections inherit it from the socket that listens. That is the server's, which opens it after it loaded the
    application: a thread waits for it.
    """
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        threading.Thread(target=_once_listening, args=(port, round(seconds * 1000)), name="stalled peers", daemon=True).start()


def _once_listening(port: int, milliseconds: int) -> None:
    until = time.monotonic() + LISTENING_SECONDS
    while not _limit(port, milliseconds) and time.monotonic() < until:
        time.sleep(_LOOK_SECONDS)


def _limit(port: int, milliseconds: int) -> bool:
    """Set it on the sockets of this process that listen at the port. False where there is none yet."""
    found = False
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if descriptor.is_socket():
                found |= _limit_one(int(descriptor.name), port, milliseconds)
    return found


def _limit_one(descriptor: int, port: int, milliseconds: int) -> bool:
    with socket.socket(fileno=os.dup(descriptor)) as ours:
        listens = ours.family in (socket.AF_INET, socket.AF_INET6) and ours.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        if not listens or ours.getsockname()[1] != port:
            return False
        ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
        return True
