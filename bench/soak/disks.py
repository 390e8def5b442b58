"""The disk is full, or slow."""

import asyncio
import shutil
import signal
import subprocess

from adapters.children import spawn, stop
from bench.processes import tree
from bench.soak.ground import Ground, is_root

FULL_S = 8.0
SLOW_S = 10.0
DELAY_MS = 200
_END_S = 5.0


def no_small_disk(ground: Ground) -> str:
    return "" if ground.disk is not None and ground.disk.is_there else (ground.disk.mounted if ground.disk else "there is no small disk")


async def full(ground: Ground) -> None:
    if ground.disk is None:
        raise RuntimeError(no_small_disk(ground))
    try:
        await asyncio.to_thread(ground.disk.fill)
        await ground.hold(FULL_S)
    finally:
        ground.disk.make_room()


def no_strace(_: Ground) -> str:
    if shutil.which("strace") is None:
        return "there is no strace"
    return "" if is_root() else "holding up the database's processes takes root"


async def slow(ground: Ground) -> None:
    """Every call that waits for the disk waits longer, in PostgreSQL and in NATS."""
    pids = [pid for part in ("postgres", "nats") for pid in tree(ground.running.pid(part))]
    calls = "fsync,fdatasync"
    argv = [
        "strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}", "-e", f"inject={calls}:delay_enter={DELAY_MS * 1000}",
        *(part for pid in pids for part in ("-p", str(pid))),
    ]  # fmt: skip
    child = spawn(argv, cwd=ground.running.folder, output=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin"})
    try:
        await ground.hold(SLOW_S)
        if child.poll() is not None:
            raise RuntimeError(f"strace ended with exit code {child.returncode}")
    finally:
        await stop(child, (signal.SIGINT, _END_S))
