"""Which core runs what: the measured server has one for itself, the other has PostgreSQL, the load driver and this program."""

import os
from collections.abc import Generator
from contextlib import contextmanager

from msgspec import Struct


class TooFewCores(Exception):
    """This machine cannot keep a server and its load apart. The message is for whoever called."""


class Cores(Struct, frozen=True):
    server: int
    other: int


def two_cores() -> Cores:
    """Give the first two cores this program may use. Raises TooFewCores."""
    if not hasattr(os, "sched_setaffinity"):
        raise TooFewCores("programs can be held on a core on Linux alone")
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        raise TooFewCores("this needs two cores: one for the server that is measured, one for PostgreSQL and the load")
    return Cores(*usable[:2])


@contextmanager
def on(core: int) -> Generator[None]:
    """Have this thread, and whatever it starts meanwhile, run on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
