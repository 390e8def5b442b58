"""The server that speaks HTTP, with what every program of ours asks of it."""

import errno
import os
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from cli import startup

RELOAD_S = 3.0
"""How long a process goes on beside the one that takes its place at SIGHUP, which needs a second until it listens."""


class Served(Struct, frozen=True, kw_only=True):
    """`connections`: of each process at a time. `port_name` is what an operator would change when the port is taken."""

    host: str
    port: int
    workers: int
    grace_s: int
    connections: int
    port_name: str


def serve(served: Served, load: Callable[[], Callable[..., Any]], *, started: Callable[[], None] = lambda: None) -> None:
    """Serve until told to stop. `load` makes the application, in each process. Raises CannotStart."""
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces, Loops
    from granian.http import HTTP1Settings
    from granian.log import LogLevels

    server = Granian(
        target="api.app:create",
        factory=True,
        address=served.host,
        port=served.port,
        interface=Interfaces.ASGI,
        workers=served.workers,
        loop=Loops.uvloop,
        # HTTP/2 is for the proxy in front: its header compression lets 400 kB become half a million fields.
        http=HTTPModes.http1,
        websockets=False,
        respawn_failed_workers=True,
        respawn_interval=RELOAD_S,
        workers_kill_timeout=served.grace_s,
        backlog=1024,
        backpressure=served.connections,
        http1_settings=HTTP1Settings(header_read_timeout=10_000, keep_alive=True, max_buffer_size=65_536),
        log_level=LogLevels.warning,
        # Its lines take the way of all others: no handler of its own.
        log_dictconfig={
            "loggers": {"_granian": {"handlers": [], "propagate": True}, "granian.access": {"handlers": [], "propagate": False}}
        },
    )
    server.on_startup(started)
    try:
        server.serve(target_loader=load, wrap_loader=False)
    except RuntimeError as error:  # its word for the system's refusal of the address
        if "(os error " not in str(error):
            raise
        taken = f"(os error {errno.EADDRINUSE})" in str(error)
        why = os.strerror(errno.EADDRINUSE) if taken else str(error)
        raise startup.port_refused(served.host, served.port, served.port_name, why, taken=taken) from None
