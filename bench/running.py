"""A real `minos up` as a process of its own, on free ports and in a folder of its own: for measuring, and for end-to-end tests."""

import asyncio
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from msgspec import Struct

from adapters.children import exited, spawn, stop
from adapters.embedded_nats import NatsServer
from adapters.embedded_postgres import running_app_url
from adapters.postgres_roles import kept_passwords
from bench.processes import said

READY_S = 60.0
STOP_S = 20.0
COMMAND_S = 60.0
_POLL_S = 0.01
_OURS = range(20_000, 32_000)
_STARTED = re.compile(r"^(\w+): running \([\d.]+ s, pid (\d+)\)$", re.MULTILINE)
_CODE = re.compile(r"^bootstrap code: (\S+)$", re.MULTILINE)
_READY = re.compile(r"^ready in ([\d.]+) s", re.MULTILINE)
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "XDG_RUNTIME_DIR", "UV_CACHE_DIR", "PYTHONPATH", "PYTHONPYCACHEPREFIX", "COVERAGE_PROCESS_START")


class NotReady(Exception):
    """`minos up` ended, or was not ready in time. The message is what it printed."""


class Finished(Struct, frozen=True, kw_only=True):
    """A command that ended: its exit code and what it printed."""

    code: int
    out: str
    err: str


class Running:
    """One authority. `settings` are given as `MINOS_<NAME>`, none is taken from our own environment.

    It ends with the thread that started it. May be started again after it was stopped or killed, on the same ports.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        port, metrics_port = free_ports(2)
        self.url = f"http://127.0.0.1:{port}"
        self.metrics_url = f"http://127.0.0.1:{metrics_port}/metrics"
        chosen = {"PORT": str(port), "METRICS_PORT": str(metrics_port), "DATA_DIR": str(folder / "data"), "LOG_FORMAT": "json", **settings}
        self.environment: Mapping[str, str] = {
            **{name: os.environ[name] for name in KEPT if name in os.environ},
            **{f"MINOS_{name.upper()}": value for name, value in chosen.items()},
        }
        self.start_s = 0.0
        self._log = folder / "up.log"
        self._since = 0
        self._child: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def printed(self) -> str:
        """What it printed since the last start, its log lines too."""
        with self._log.open("rb") as log:
            log.seek(self._since)
            return log.read().decode(errors="replace")

    @property
    def bootstrap_code(self) -> str:
        """Raises LookupError when it printed none: there is an administrator already."""
        if found := _CODE.search(self.printed):
            return found[1]
        raise LookupError("no bootstrap code was printed")

    @property
    def database_url(self) -> str:
        """The serving role's. Holds a password."""
        return running_app_url(self.data / "postgres")

    @property
    def owner_url(self) -> str:
        """The owner role's, who may look at everything. Holds a password."""
        serving, passwords = self.database_url, kept_passwords(self.data / "postgres" / "passwords.json")
        return serving.replace("minos_app", "minos_owner", 1).replace(passwords.app, passwords.owner, 1)

    @property
    def nats(self) -> NatsServer:
        """Where its NATS is, and what proves to it who one is. Raises LookupError when it has none of its own."""
        server = NatsServer(self.data / "nats")
        if not server.find():
            raise LookupError("no NATS was started")
        return server

    async def start(self, *arguments: str) -> None:
        """Start, and return when it says that it is ready. Raises NotReady."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._log.touch()
        self._since = self._log.stat().st_size
        began = time.monotonic()
        with self._log.open("ab") as output:
            argv = [*minos(), "up", *arguments]
            self._child = spawn(argv, cwd=self.folder, output=output, env=self.environment, when_orphaned=signal.SIGTERM)
        while not _READY.search(self.printed):
            if self._child.poll() is not None or time.monotonic() - began > READY_S:
                await self.stop()
                raise NotReady(self.printed)
            await asyncio.sleep(_POLL_S)
        self.start_s = time.monotonic() - began

    async def stop(self, sig: signal.Signals = signal.SIGINT) -> float:
        """Press Ctrl-C, and give how many seconds it took to end. Raises NotReady when it had to be killed."""
        child, self._child = self._child, None
        if child is None:
            return 0.0
        began = time.monotonic()
        if await stop(child, (sig, STOP_S)) == -signal.SIGKILL:
            raise NotReady(f"did not stop within {STOP_S:.0f} s:\n{self.printed}")
        return time.monotonic() - began

    def pid(self, part: str) -> int:
        """Give the process of `api`, `workers`, `nats`, `postgres` as last started, or of `up` itself."""
        if part == "up":
            if self._child is None:
                raise LookupError("it does not run")
            return self._child.pid
        found = [int(pid) for name, pid in _STARTED.findall(self.printed) if name == part]
        if not found:
            raise LookupError(f"{part} was not started")
        return found[-1]

    def kill(self, part: str) -> int:
        """End a part with SIGKILL, as a crash would, and give the pid it had."""
        pid = self.pid(part)
        os.kill(pid, signal.SIGKILL)
        return pid

    async def crash(self) -> None:
        """End `up` itself with SIGKILL. The kernel then tells its children; whoever still lives is found by the next start."""
        if self._child is not None:
            self._child.kill()
            await exited(self._child)
            self._child = None

    async def restarted(self, part: str, pid: int) -> None:
        """Wait until `part` runs as another process than `pid`. Raises TimeoutError."""
        async with asyncio.timeout(READY_S):
            while self.pid(part) == pid:
                await asyncio.sleep(_POLL_S)

    async def minos(self, *arguments: str, given: str = "", within: float = COMMAND_S, **settings: str) -> Finished:
        """Run one command of the command line against this authority, `given` on its input. Raises TimeoutError."""
        child = await asyncio.create_subprocess_exec(
            *minos(), *arguments,
            cwd=self.folder,
            env={**self.environment, **{f"MINOS_{name.upper()}": value for name, value in settings.items()}},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await said(child, given.encode(), within=within)
        return Finished(code=child.returncode or 0, out=out.decode(), err=err.decode())


def minos() -> list[str]:
    """Give how the command is called in the environment we run in."""
    script = Path(sysconfig.get_path("scripts")) / "minos"
    return [str(script)] if script.exists() else [sys.executable, "-m", "cli.main"]


def free_ports(n: int) -> list[int]:
    """Give ports nobody had a moment ago, all different, and none that the system gives to whoever connects somewhere."""
    probes: list[socket.socket] = []
    try:
        while len(probes) < n:
            probe = socket.socket()
            try:
                probe.bind(("127.0.0.1", secrets.choice(_OURS)))
            except OSError:
                probe.close()
            else:
                probes.append(probe)
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
