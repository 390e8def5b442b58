"""Giving way: our own session is taken along, nobody else's is, and a niceness is never taken back."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import adapters
from tests.niceness import gives_way

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks Linux about processes")

IMPORT = "import ctypes, os; from adapters.giving_way import give_way; "
GIVE_WAY = "give_way(7); print(flush=True); input()"
NOBODY = "os.setgid(65534); os.setuid(65534); ctypes.CDLL(None).prctl(4, 1); "
"""PR_SET_DUMPABLE: as after login, or what is ours in /proc would stay root's."""


def begin(code: str, *, own_session: bool = True) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", IMPORT + code],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(adapters.__file__).parents[1],
        start_new_session=own_session,
    )  # fmt: skip


def end(process: "subprocess.Popen[str]") -> None:
    assert process.communicate("\n", timeout=30) is not None
    assert process.returncode == 0


def soon(process: "subprocess.Popen[str]", niceness: int) -> bool:
    """Within 100 of the pauses a machine asks for between two changes."""
    waits = 0
    while not gives_way(process.pid, niceness) and waits < 1_000:
        waits += 1
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
    return waits < 1_000


@pytest.mark.parametrize("before", ["", pytest.param(NOBODY, marks=pytest.mark.skipif(os.getuid() != 0, reason="becomes somebody else"))])
def test_several_that_begin_at_once_all_give_way(before: str) -> None:
    """Who is not root is refused within 100 ms of anybody else."""
    begun = [begin(before + GIVE_WAY) for _ in range(3)]
    assert [soon(process, 7) for process in begun] == [True] * 3
    for process in begun:
        end(process)


def test_a_session_shared_with_others_is_left_alone() -> None:
    ours = Path("/proc/self/autogroup")
    before = ours.read_text() if ours.exists() else None
    process = begin(GIVE_WAY, own_session=False)
    assert process.stdout is not None
    process.stdout.readline()
    assert os.getpriority(os.PRIO_PROCESS, process.pid) == 7
    end(process)
    assert (ours.read_text() if ours.exists() else None) == before


def test_who_gives_more_way_already_goes_on_doing_so() -> None:
    process = begin(f"os.nice(12); {GIVE_WAY}")
    assert process.stdout is not None
    process.stdout.readline()
    assert os.getpriority(os.PRIO_PROCESS, process.pid) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + 12)
    end(process)
