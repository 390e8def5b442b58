"""Machines as network namespaces: what is cut hears nothing, what is healed hears again, and nothing outlives the process."""

import os
import subprocess
import sys

import pytest

from docs.console.authority import ROOT

PROGRAM = """
import asyncio, socket, sys, tempfile
from pathlib import Path
from bench.cluster.network import Machine, NoMachines, cut, heal, leave_the_network

try:
    leave_the_network()
except NoMachines as why:
    sys.exit(f"no machines: {why}")
one, other = Machine("one", 11), Machine("other", 12)
server = other.inside(lambda: socket.create_server((other.address, 9000)))

def heard():
    def ask():
        try:
            socket.create_connection((other.address, 9000), 0.3).close()
        except OSError:
            return False
        return True
    return one.inside(ask)

def until_heard():
    while not heard():
        pass

until_heard()
cut(one, other)
assert not heard()
heal(one, other)
until_heard()
other.unplug()
assert not heard()
other.plug()
until_heard()
with tempfile.TemporaryDirectory() as made:
    folder = Path(made)
    child = one.run(["sleep", "600"], folder=folder, log=folder / "log", env={"PATH": "/usr/bin:/bin"})
    assert one.processes() == [child.pid] and other.processes() == []
    asyncio.run(one.power_off())
    assert child.wait() == -9
one.close(), other.close()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces take root")
def test_machines_lose_each_other_and_find_each_other_again() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    if "no machines" in done.stderr:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stderr
