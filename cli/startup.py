"""What every command that runs something does first: settings, logging, and settings handed down by a parent."""

import errno
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import argparse

    from adapters.settings import Settings


def settings() -> "Settings":
    """Read the settings and set up logging by them. Raises BadSettings."""
    from adapters import settings_source

    return going_by(settings_source.load().settings)


def going_by(settings: "Settings") -> "Settings":
    """Set up logging by settings that were read before, and give them."""
    from adapters import logging

    logging.configure(level=settings.log_level, style=settings.log_format)
    return settings


def require(settings: "Settings", *names: str) -> None:
    """Raise CannotStart unless the settings name these servers, which a part running alone needs."""
    from adapters.children import CannotStart

    missing = [f"MINOS_{name}" for name in names if getattr(settings, name.lower()) is None]
    if missing:
        raise CannotStart(f"set {' and '.join(missing)}, or run everything with `minos up`")


def hold_data_folder(folder: Path) -> None:
    """Take the folder until we end, making it where there is none. Raises CannotStart, or AlreadyRunning when another program has it."""
    from adapters.children import CannotStart, hold_folder

    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        file = next(part for part in (folder, *folder.parents) if part.exists())
        raise CannotStart(f"{file} is a file, and the data are to be in {folder}: move it away, or choose another MINOS_DATA_DIR") from None
    hold_folder(folder)


def refuse_taken_port(host: str, port: int, name: str) -> None:
    """Say now, in words, what would fail later. Without SO_REUSEPORT, or two authorities could share one port unnoticed."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise port_refused(host, port, name, error.strerror or str(error), taken=error.errno == errno.EADDRINUSE) from None


def refuse_taken_ports(settings: "Settings") -> None:
    refuse_taken_port(settings.host, settings.port, "MINOS_PORT")
    refuse_taken_metrics_port(settings)


def refuse_taken_metrics_port(settings: "Settings") -> None:
    if settings.metrics_port:
        refuse_taken_port(settings.metrics_host, settings.metrics_port, "MINOS_METRICS_PORT")


def port_refused(host: str, port: int, name: str, why: str, *, taken: bool) -> Exception:
    """Give what to raise when an address cannot be listened on."""
    from adapters.children import CannotStart

    hint = f"another program is there; choose another {name}" if taken else f"look at {name.replace('PORT', 'HOST')} and {name}"
    return CannotStart(f"{host}:{port} cannot be used ({why}): {hint}")


def add_parent_option(parser: "argparse.ArgumentParser") -> None:
    """Let `minos up` hand the command its settings when the servers are ready. Not for people."""
    import argparse

    parser.add_argument("--settings-fd", type=int, help=argparse.SUPPRESS)


def await_parent(fd: int | None) -> bool:
    """Wait until the parent sends settings through the pipe, and take them as if from the environment.

    Through a pipe, so that passwords are not in the environment other programs of this user can look at, and so that
    the command has imported everything by the time the servers are there. False when the parent went away.
    """
    if fd is None:
        return True
    with os.fdopen(fd, "rb") as pipe:
        sent = pipe.read()
    if not sent:
        return False
    for name, text in msgspec.json.decode(sent, type=dict[str, str | None]).items():
        if text is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = text
    return True
