"""What Linux says of a process that gives way to others."""

import os
from pathlib import Path


def gives_way(pid: int, niceness: int) -> bool:
    """Tell whether a process and, where Linux shares the cores among sessions, its session have this niceness."""
    group = Path(f"/proc/{pid}/autogroup")
    try:
        of_session = group.read_text()
    except OSError:
        of_session = ""  # no such groups on this machine
    return os.getpriority(os.PRIO_PROCESS, pid) == niceness and (not of_session or of_session.endswith(f" nice {niceness}\n"))
