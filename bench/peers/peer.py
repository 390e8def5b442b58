"""A server of somebody else: installed, given a fresh database, started on the server's core, stopped by its pid."""

import asyncio
import json
import secrets
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import ClassVar, Self

from adapters.children import exited, spawn, stop
from bench import databases
from bench.load import request
from bench.over_http import PASSWORD
from bench.peers.asking import asked
from bench.peers.cores import on
from bench.peers.target import PEER, Hashed, Place, Work, environment
from bench.processes import tree
from bench.running import free_ports

_START_S = 60.0
_STOP_S = 8.0
_POLL_S = 0.005


class NotStarted(Exception):
    """A peer's program failed. The message ends with what it printed."""


class Peer:
    """What the peers share. Each says how it is started and what its requests look like."""

    folder: ClassVar[str]
    """Of `servers`, and of what is installed from there."""
    ready: ClassVar[str]
    """Path that answers 200 once it serves."""
    migration: ClassVar[Sequence[str]] = ()
    hashing: ClassVar[Sequence[str]] = ()

    def __init__(self, place: Place) -> None:
        self.start_s = 0.0
        (self.port,) = free_ports(1)
        self.secret = secrets.token_hex(24)
        self._place = place
        self._home = place.installed / self.folder
        self._log = place.folder / "peer.log"
        self._child: subprocess.Popen[bytes] | None = None
        self._environment = environment(
            PORT=str(self.port), SECRET=self.secret, NODE_ENV="production",
            PGHOST=place.postgres.superuser_url.partition("?host=")[2], PGUSER=PEER, PGPASSWORD=place.database_password, PGDATABASE=PEER,
        )  # fmt: skip

    async def __aenter__(self) -> Self:
        await databases.fresh(self._place.postgres, PEER, owner=PEER)
        if self.migration:
            await self._run(self.migration)
        began = time.monotonic()
        self._child = self._spawn(self.command())
        try:
            await self._answers(began)
        except BaseException:
            await self.__aexit__()
            raise
        self.start_s = time.monotonic() - began
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._child is not None:
            await stop(self._child, (signal.SIGTERM, _STOP_S))

    def command(self) -> Sequence[str]:
        """Give how the server is started, in the folder it is installed in."""
        return ("node", "server.mjs")

    def parts(self) -> Mapping[str, Sequence[int]]:
        if self._child is None:
            raise LookupError("it does not run")
        return {"server": tree(self._child.pid)}

    async def bare_hash(self, times: int) -> Hashed | None:
        if not self.hashing:
            return None
        said = json.loads(await self._run([*self.hashing, PASSWORD, str(times)]))
        return Hashed(kind=said["kind"], verify_ms=said["verify_ms"])

    async def prepare(self, people: int) -> None:
        raise NotImplementedError

    def work(self, operation: str, connections: int) -> Work:
        raise NotImplementedError

    async def _answers(self, began: float) -> None:
        text = request("GET", self.ready)
        while True:
            with suppress(OSError, RuntimeError):
                if asked(self.port, text).status == 200:
                    return
            if self._child is None or self._child.poll() is not None or time.monotonic() - began > _START_S:
                raise NotStarted(f"{self.folder} did not start:\n{self._printed()}")
            await asyncio.sleep(_POLL_S)

    async def _run(self, command: Sequence[str]) -> str:
        """Let a program of the peer come to its end, on the server's core. Give the last line it printed."""
        child = self._spawn(command)
        try:
            if await exited(child):
                raise NotStarted(f"{' '.join(command[:2])} of {self.folder} failed:\n{self._printed()}")
        finally:
            await stop(child)
        return (self._printed().splitlines() or [""])[-1]

    def _spawn(self, command: Sequence[str]) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as output, on(self._place.cores.server):
            return spawn(command, cwd=self._home, output=output, env=self._environment)

    def _printed(self) -> str:
        return self._log.read_text(errors="replace")[-2_000:]
