"""Child programs that never outlive us: started apart from the terminal's signals, told to stop when we die, awaited with a deadline."""

import asyncio
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from adapters.orphaned import PR_SET_PDEATHSIG

_POLL_S = 0.01


class CannotStart(Exception):
    """A server of ours did not come up. The message is for the operator and ends with what the server itself wrote."""


class AlreadyRunning(Exception):
    """Another living program of ours holds this folder."""


@dataclass(frozen=True, slots=True)
class SystemUser:
    """Who a child runs as when we are root."""

    uid: int
    gid: int


def spawn(
    argv: Sequence[str],
    *,
    cwd: Path,
    output: IO[bytes] | int | None,
    given: int = subprocess.DEVNULL,
    env: Mapping[str, str],
    user: SystemUser | None = None,
    pass_fds: Sequence[int] = (),
    when_orphaned: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, that reads `given`; the kernel sends it `when_orphaned` when the calling *thread* ends.

    A session of its own, so that Ctrl-C reaches us alone and we choose the order in which parts stop; and so that Linux, which
    shares the cores among sessions first (sched_autogroup), leaves no part without its share (docs/adr, 7).
    """
    return subprocess.Popen(  # noqa: S603
        list(argv),
        cwd=cwd,
        env=dict(env),
        stdin=given,
        stdout=output,
        stderr=output if output is None else subprocess.STDOUT,
        start_new_session=True,
        pass_fds=pass_fds,
        user=None if user is None else user.uid,
        group=None if user is None else user.gid,
        extra_groups=None if user is None else [],
        preexec_fn=_die_with_parent(when_orphaned),  # noqa: PLW1509 - runs after setuid, which would clear the signal; it allocates nothing
    )


def _die_with_parent(sig: signal.Signals) -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None  # the next start finds and stops what was left
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent, number = os.getpid(), int(sig)

    def ask_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:  # we died between fork and prctl
            os._exit(1)

    return ask_kernel


async def exited(child: subprocess.Popen[bytes]) -> int:
    """Wait for a child to end and give its exit code (negative: the signal). Cancel it to stop waiting."""
    code = child.poll()
    if code is not None:
        return code
    if not hasattr(os, "pidfd_open"):
        while (code := child.poll()) is None:
            await asyncio.sleep(_POLL_S)
        return code
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    fd = os.pidfd_open(child.pid)
    loop.add_reader(fd, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(fd)
        os.close(fd)
    return child.wait()


async def stop(child: subprocess.Popen[bytes], *signals: tuple[signal.Signals, float]) -> int:
    """Send each signal in turn, giving the child so many seconds after each, then SIGKILL. Gives its exit code."""
    for sig, grace_s in signals:
        if child.poll() is not None:
            break
        child.send_signal(sig)
        try:
            async with asyncio.timeout(grace_s):
                return await exited(child)
        except TimeoutError:
            continue
    if child.poll() is None:
        child.kill()
    return await exited(child)


def hold_folder(folder: Path) -> int:
    """Take the folder for this program until the returned descriptor is closed or we die. Raises AlreadyRunning.

    A kernel lock, so a kill -9 frees it and nothing stale can stay. A link in its place, which would have another file emptied, is OSError.
    """
    fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(fd, 32, 0).decode(errors="replace").strip()
        os.close(fd)
        raise AlreadyRunning(f"{folder} is in use by the running program with pid {holder or 'unknown'}") from None
    os.ftruncate(fd, 0)
    os.pwrite(fd, str(os.getpid()).encode(), 0)
    return fd


def processes_working_in(folder: Path) -> list[int]:
    """Give the pids of living programs whose working directory is `folder`, by asking the kernel (Linux; elsewhere none).

    A pid read from a file may by now belong to anybody; a working directory cannot be mistaken.
    """
    found: list[int] = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink() == folder:
                found.append(int(entry.name))
        except OSError:
            continue  # gone meanwhile, or another user's
    return found


async def end_leftovers(folder: Path, *, first: signal.Signals, main_pid: int | None, grace_s: float) -> bool:
    """Stop programs a killed predecessor left working in `folder`. True when there were any.

    `first` goes to `main_pid` if it is one of them, else to all; after `grace_s` seconds whoever is left is killed.
    """
    left = processes_working_in(folder)
    if not left:
        return False
    _signal_all([main_pid] if main_pid in left else left, first)
    if not await _gone(folder, grace_s):
        _signal_all(processes_working_in(folder), signal.SIGKILL)
        if not await _gone(folder, grace_s):
            raise CannotStart(f"programs left over in {folder} do not end: {processes_working_in(folder)}")
    return True


async def _gone(folder: Path, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            while processes_working_in(folder):
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        return False
    return True


def _signal_all(pids: Sequence[int | None], sig: signal.Signals) -> None:
    for pid in pids:
        if pid is not None:
            try:
                os.kill(pid, sig)
            except ProcessLookupError:
                continue
