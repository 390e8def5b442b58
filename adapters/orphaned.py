"""To go when the process that started us goes. Imports next to nothing: small programs use it too."""

import ctypes
import signal
import sys

PR_SET_PDEATHSIG = 1
"""prctl(2)."""


def die_with_parent(sig: signal.Signals = signal.SIGTERM) -> None:
    """Ask the kernel (Linux) to send us `sig` when the thread that forked us ends."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(sig), 0, 0, 0)
