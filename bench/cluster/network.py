"""Machines of a network of our own: network namespaces, each on a bridge by a pair of virtual cards (Linux, as root).

Nothing of it is outside this process. The bridge is in a namespace that this process moves into, and each machine's namespace lives as
long as the thread that is in it: when we end, however we do, the kernel takes all of them away, and tells what runs there to end.
"""

import asyncio
import ctypes
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from adapters.children import SystemUser, spawn

_CLONE_NEWNET = 0x4000_0000
_NOWHERE = "02:00:00:00:00:fe"
"""The address of a card that nobody has: what is sent there is lost without a word, as on a cut wire."""
BRIDGE = "wires"
HERE = "198.18.0.1"
"""Where we are, of a network that is set aside for such tests (RFC 2544)."""
_T = TypeVar("_T")


class NoMachines(Exception):
    """This system does not let us have them. The message says why."""


def _enter_new_namespace() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET):
        raise NoMachines(f"no network namespace can be made ({os.strerror(ctypes.get_errno())}): it takes root, or CAP_SYS_ADMIN")


def _ip(*arguments: str) -> None:
    argv = ["ip", *arguments]
    done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=10)  # noqa: S603 - of ours, and iproute2
    if done.returncode:
        raise NoMachines(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


def leave_the_network() -> None:
    """Move this process into a namespace of its own, with a bridge. Call it in the main thread, before there are others."""
    _enter_new_namespace()
    _ip("link", "set", "lo", "up")
    _ip("link", "add", BRIDGE, "type", "bridge")
    _ip("address", "add", f"{HERE}/24", "dev", BRIDGE)
    _ip("link", "set", BRIDGE, "up")


class Machine:
    """One namespace, with the address 198.18.0.<number>, and what runs in it."""

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.address = f"198.18.0.{number}"
        self._port, card = f"port{number}", f"card{number}"
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self.inside(_enter_new_namespace)
        thread = str(self.inside(threading.get_native_id))
        self._namespace = self.inside(lambda: Path("/proc/thread-self/ns/net").readlink())
        _ip("link", "add", self._port, "master", BRIDGE, "type", "veth", "peer", "name", card)
        _ip("link", "set", card, "netns", thread)
        _ip("link", "set", self._port, "up")
        self.inside(partial(_ip, "link", "set", "lo", "up"))
        self.inside(partial(_ip, "address", "add", f"{self.address}/24", "dev", card))
        self.inside(partial(_ip, "link", "set", card, "up"))
        self._card = card

    def __repr__(self) -> str:
        return f"Machine({self.name})"

    def inside(self, act: Callable[[], _T]) -> _T:
        """Do something in this machine's namespace: sockets opened and programs started there are of this machine."""
        return self._thread.submit(act).result()

    def run(
        self, argv: list[str], *, folder: Path, log: Path, env: Mapping[str, str], user: SystemUser | None = None,
        when_orphaned: signal.Signals = signal.SIGTERM,
    ) -> "subprocess.Popen[bytes]":  # fmt: skip
        """Start a program here, its output at the end of `log`. It is told to end when we end."""
        with log.open("ab") as output:
            return self.inside(lambda: spawn(argv, cwd=folder, output=output, env=env, user=user, when_orphaned=when_orphaned))

    async def power_off(self) -> None:
        """End everything that runs here with SIGKILL, and wait until it is gone."""
        while running := self.processes():
            for pid in running:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            await asyncio.sleep(0.01)

    def processes(self) -> list[int]:
        """Give the living programs whose network is this machine's, by asking the kernel."""
        found: list[int] = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if (entry / "ns" / "net").readlink() == self._namespace and (entry / "stat").read_text().rpartition(")")[2].split()[
                    0
                ] != "Z":
                    found.append(int(entry.name))
            except OSError:
                continue  # gone meanwhile
        return found

    def unplug(self) -> None:
        _ip("link", "set", self._port, "down")

    def plug(self) -> None:
        _ip("link", "set", self._port, "up")

    def lose(self, other: "Machine") -> None:
        """Send to `other` what nobody receives."""
        self.inside(lambda: _ip("neighbour", "replace", other.address, "lladdr", _NOWHERE, "nud", "permanent", "dev", self._card))

    def find(self, other: "Machine") -> None:
        self.inside(lambda: _ip("neighbour", "delete", other.address, "dev", self._card))

    def close(self) -> None:
        self._thread.shutdown()


def cut(one: Machine, other: Machine) -> None:
    """Let the two no longer hear each other. Nobody is told: what is sent is lost."""
    one.lose(other)
    other.lose(one)


def heal(one: Machine, other: Machine) -> None:
    one.find(other)
    other.find(one)
