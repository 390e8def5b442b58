"""What processes take of the machine, as the kernel counts it (Linux)."""

import asyncio
import os
from asyncio.subprocess import Process
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def tree(pid: int) -> list[int]:
    """Give a process and all below it."""
    return [pid, *(below for child in children(pid) for below in tree(child))]


def children(pid: int) -> list[int]:
    """Give the processes that a process started, of those that live."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # the thread ended meanwhile
            found += [int(child) for child in task.read_text().split()]
    return found


async def said(child: Process, given: bytes | None = None, *, within: float) -> tuple[bytes, bytes]:
    """Let a program read `given` and come to its end; give what it printed. It ends with us, whatever ends us. Raises TimeoutError."""
    try:
        async with asyncio.timeout(within):
            return await child.communicate(given)
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


def lives(pid: int) -> bool:
    """Whether a process is there and not only waiting to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def cpu_seconds(pid: int) -> float:
    """Give the processor time a process and all below it have taken so far, those too that ended and were waited for."""
    return sum(sum(_ticks(each)) for each in tree(pid)) / _TICKS


def cpu_seconds_of(pids: Iterable[int]) -> float:
    """Give what these processes alone have taken."""
    return sum(_ticks(each)[0] for each in pids) / _TICKS


def resident_mb(pid: int) -> float:
    """Give the memory of one process that is in RAM now, in MB of 10^6 bytes, shared pages counted in full."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1e6


def proportional_mb(pid: int) -> float:
    """Give the memory of a process and all below it in MB of 10^6 bytes; of what several share, each its part. Root's to ask of others'."""
    return sum(_proportional_kb(each) for each in tree(pid)) * 1024 / 1e6


def _proportional_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0  # ended meanwhile
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _ticks(pid: int) -> tuple[int, int]:
    """Of a process, and of those it waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0, 0  # ended meanwhile
    return int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
