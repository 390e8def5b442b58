"""What runs on the machines besides the servers: `minos serve`, `minos work`, and the nginx in front, with deploy/nginx/balance.conf."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx

from adapters.children import spawn, stop
from bench import nginx
from bench.arguments import HERE
from bench.cluster.network import Machine
from bench.cluster.versions import Version
from bench.running import KEPT

API_PORT = 8000
FRONT_PORT = 8080
READY_S = 60.0
STOP_S = 30.0
_POLL_S = 0.05

Chosen = Callable[[Version, Machine], Mapping[str, str]]
"""Gives the settings of a version on a machine, by the names that operators give without `MINOS_`."""


class NotReady(Exception):
    """A program ended, or was not ready in time. The message is the end of what it printed."""


class Minos:
    """One `minos serve` or `minos work`, of one version at a time."""

    def __init__(self, machine: Machine, command: str, folder: Path, chosen: Chosen) -> None:
        self.machine, self.command = machine, command
        self._folder, self._chosen = folder, chosen
        self._log = folder / f"{machine.name}.log"
        self._child: subprocess.Popen[bytes] | None = None

    def __repr__(self) -> str:
        return f"Minos({self.machine.name})"

    async def start(self, version: Version) -> None:
        """Start, and return when it does its work. Raises NotReady."""
        argv = [sys.executable, "-m", "cli.main", self.command]
        env = environment(version, self._chosen(version, self.machine))
        self._child = self.machine.run(argv, folder=version.tree, log=self._log, env=env)
        try:
            async with asyncio.timeout(READY_S):
                while not await self._is_ready():
                    if self._child.poll() is not None:
                        raise NotReady(self._last_words())
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            raise NotReady(self._last_words()) from None

    async def stop(self) -> int:
        """Tell it to end as an operator would, and give its exit code."""
        return 0 if self._child is None else await stop(self._child, (signal.SIGTERM, STOP_S))

    async def _is_ready(self) -> bool:
        """Workers have no door to knock at: they are ready once they run."""
        if self.command == "work":
            return bool(self.machine.processes())
        try:
            async with httpx.AsyncClient(timeout=1) as http:
                return (await http.get(f"http://{self.machine.address}:{API_PORT}/health/ready")).status_code == 200
        except httpx.HTTPError:
            return False

    def _last_words(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])


def environment(version: Version, settings: Mapping[str, str]) -> Mapping[str, str]:
    """Give what a program of a version is started with: nothing of our own settings, and none that it does not know."""
    named = {name: value for name, value in settings.items() if name.removesuffix("_file") in version.settings or name in version.settings}
    return {
        **{name: os.environ[name] for name in KEPT if name in os.environ},
        **{f"MINOS_{name.upper()}": value for name, value in named.items()},
        "PYTHONPATH": str(version.tree),
    }


async def command(version: Version, settings: Mapping[str, str], *arguments: str) -> str:
    """Run one command of the command line here, where the bridge is, and give what it printed. Raises NotReady when it failed."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", *arguments,
        cwd=version.tree, env=environment(version, settings), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(READY_S):
        out, err = await child.communicate()
    if child.returncode:
        raise NotReady(err.decode(errors="replace"))
    return out.decode()


class Nginx:
    """In front of every `minos serve`, where we are: clients reach it at a loopback address."""

    def __init__(self, program: Path, folder: Path, servers: Mapping[str, str], *, port: int = FRONT_PORT) -> None:
        """`servers`: hosts and ports by the names that the shipped file has for them."""
        self._program, self._folder, self._port = program, folder, port
        text = (HERE.parent / "deploy" / "nginx" / "balance.conf").read_text()
        for name, address in servers.items():
            text = text.replace(f"server {name}:{API_PORT} ", f"server {address} ")
        (folder / "balance.conf").write_text(re.sub(r"listen \d+;.*", f"listen 127.0.0.1:{port};", text))
        nginx.configured(folder, "balance.conf")
        self._child: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        argv = [str(self._program), "-p", str(self._folder), "-c", str(self._folder / "nginx.conf")]
        with (self._folder / "nginx.log").open("ab") as output:
            self._child = spawn(argv, cwd=self._folder, output=output, env={"PATH": "/usr/bin:/bin"}, when_orphaned=signal.SIGTERM)
        async with asyncio.timeout(READY_S), httpx.AsyncClient(timeout=1) as http:
            while True:
                if self._child.poll() is not None:
                    raise NotReady((self._folder / "nginx.log").read_text(errors="replace"))
                try:
                    await http.get(f"http://127.0.0.1:{self._port}/health/live")
                except httpx.HTTPError:
                    await asyncio.sleep(_POLL_S)
                else:
                    return

    async def stop(self) -> None:
        if self._child is not None:
            await stop(self._child, (signal.SIGTERM, 5.0))
