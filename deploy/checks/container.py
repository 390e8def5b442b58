"""A container without an engine: namespaces by bubblewrap, with what an image's steps say of folders, environment and user.

The root file system is this machine's, read-only; Python is the one we run by, in /usr/local as the base image has it. What is
copied into the image is what its steps name. The network is ours, so that it reaches servers on this machine.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from msgspec import Struct

TOOLS = [name for name in ("bwrap", "setpriv") if shutil.which(name) is None]
HIDDEN = ("/opt", "/tmp", "/root", "/var/lib", "/run")
possible = pytest.mark.skipif(os.geteuid() != 0 or bool(TOOLS), reason="needs root, bubblewrap and util-linux")


class Places(Struct, frozen=True, kw_only=True):
    """What of this machine is where in the container, and by whom it is seen: root with all rights, or `user` with none."""

    binds: Mapping[Path, str]
    writable: Mapping[Path, str] = {}
    user: int | None = None


def argv(command: Sequence[str], places: Places) -> list[str]:
    """The command in its namespaces: /tmp is empty, everything else is read-only but for what is `writable`."""
    wrapped = ["bwrap", "--die-with-parent", "--unshare-pid", "--unshare-ipc", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]
    wrapped += [word for folder in HIDDEN for word in ("--tmpfs", folder)]
    wrapped += ["--ro-bind", sys.base_prefix, "/usr/local", "--setenv", "LD_LIBRARY_PATH", "/usr/local/lib"]  # libpython moved with Python
    for option, found in (("--ro-bind", places.binds), ("--bind", places.writable)):
        for source, target in found.items():
            wrapped += [option, str(source), target]
    if places.user is not None:
        wrapped += [word for folder in HIDDEN if folder != "/tmp" for word in ("--remount-ro", folder)]
        wrapped += ["--chmod", "1777", "/tmp", "setpriv", f"--reuid={places.user}", f"--regid={places.user}"]
        wrapped += ["--clear-groups", "--no-new-privs", "--bounding-set=-all"]
    return [*wrapped, *command]


def run(command: Sequence[str], environment: Mapping[str, str], places: Places) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv(command, places), env=environment, capture_output=True, text=True, check=False, timeout=400)
