"""To let other programs on this machine go first. Imports next to nothing: small programs use it too."""

import ctypes
import os
import struct
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread

_GROUP = Path("/proc/self/autogroup")
_AGAIN_S, _TRIES = 0.11, 100
"""Longer than a machine asks between two changes of a session's niceness, and so often that a hundred processes all have a turn."""

_SET_ATTRIBUTES = {"x86_64": 314, "aarch64": 274}
"""sched_setattr(2) by processor: its wrapper is in glibc only since 2.41."""
_ATTRIBUTES = struct.Struct("=IIQiIQQQ")
"""Its argument: size, policy, flags, niceness, priority, runtime in ns, deadline, period."""


def give_way(niceness: int) -> None:
    """Have the scheduler prefer others to us: to this thread, those it begins afterwards, and the session when it is ours alone.

    Linux shares the cores among sessions first (sched_autogroup), and our own niceness says nothing to the others. A niceness
    above the one we have takes no privilege. Returns at once; the session follows as soon as the machine takes it.
    """
    with suppress(OSError):
        os.nice(max(0, niceness - os.getpriority(os.PRIO_PROCESS, 0)))
    if sys.platform == "linux" and os.getsid(0) == os.getpid():
        Thread(target=_session_gives_way, args=(niceness,), name="giving-way", daemon=True).start()


def take_short_turns(ns: int) -> None:
    """Let this thread be interrupted sooner by whoever wakes. Call it after `give_way`, whose niceness it keeps.

    Linux lets who runs finish a turn of some milliseconds before one that woke gets the core. Since 6.12 a thread may say that its turns
    are shorter, at least 100,000 ns; it gets as much of the core as before. Elsewhere nothing happens.
    """
    if sys.platform == "linux" and (number := _SET_ATTRIBUTES.get(os.uname().machine)) is not None:
        niceness = os.getpriority(os.PRIO_PROCESS, 0)
        ctypes.CDLL(None).syscall(number, 0, _ATTRIBUTES.pack(_ATTRIBUTES.size, os.SCHED_OTHER, 0, niceness, 0, ns, 0, 0), 0)


def _session_gives_way(niceness: int) -> None:
    """Only one in 100 ms may say so on a machine, unless root: whoever comes too early says it again."""
    for _ in range(_TRIES):
        try:
            _GROUP.write_text(str(niceness))
        except BlockingIOError:
            time.sleep(_AGAIN_S)
        except OSError:  # no such groups here
            return
        else:
            return
