"""What every command that runs something does first: settings, logging, and settings handed down by a parent."""

import os
from typing import TYPE_CHECKING

import msgspec

from adapters import logging, settings_source
from adapters.settings import Settings

if TYPE_CHECKING:
    import argparse


def settings() -> Settings:
    """Read the settings and set up logging by them. Raises BadSettings."""
    chosen = settings_source.load().settings
    logging.configure(level=chosen.log_level, style=chosen.log_format)
    return chosen


def require(settings: Settings, *names: str) -> None:
    """Raise CannotStart unless the settings name these servers, which a part running alone needs."""
    from adapters.children import CannotStart

    missing = [f"MINOS_{name}" for name in names if getattr(settings, name.lower()) is None]
    if missing:
        raise CannotStart(f"set {' and '.join(missing)}, or run everything with `minos up`")


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
