"""Several hosts in one URL: whichever takes writes is connected to, before and after a promotion."""

import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import asyncpg
import pytest

from adapters import postgres_home
from adapters.children import SystemUser, exited, spawn
from adapters.postgres import Link
from adapters.postgres_connect import connect
from adapters.postgres_roles import kept_passwords
from bench.cluster.database import Postgres
from bench.running import free_ports
from domain.errors import StoreUnavailable
from tests.conftest import Database


@dataclass
class Loopback:
    """This machine, as one of several."""

    name: str
    address: str = "127.0.0.1"
    started: list["subprocess.Popen[bytes]"] = field(default_factory=list["subprocess.Popen[bytes]"])

    def run(
        self, argv: list[str], *, folder: Path, log: Path, env: Mapping[str, str], user: SystemUser | None = None,
        when_orphaned: signal.Signals = signal.SIGTERM,
    ) -> "subprocess.Popen[bytes]":  # fmt: skip
        with log.open("ab") as output:
            self.started.append(spawn(argv, cwd=folder, output=output, env=env, user=user, when_orphaned=when_orphaned))
        return self.started[-1]

    async def power_off(self) -> None:
        for child in self.started:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                await exited(child)


@pytest.fixture
async def pair() -> AsyncIterator[tuple[Postgres, Postgres]]:
    with tempfile.TemporaryDirectory(prefix="minos-pair-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        postgres_home.let_through(folder, lambda _: None)
        passwords, ports = kept_passwords(folder / "passwords.json"), free_ports(2)
        primary, standby = (
            Postgres(Loopback(name), folder, passwords, port=port) for name, port in zip(("pg-1", "pg-2"), ports, strict=True)
        )
        try:
            await primary.make()
            await standby.follow(primary)
            yield primary, standby
        finally:
            await primary.stop()
            await standby.stop()


async def test_the_one_that_takes_writes_is_found_before_and_after_a_promotion(pair: tuple[Postgres, Postgres]) -> None:
    primary, standby = pair
    url = primary.url("minos_owner").replace(f":{primary.port}/", f":{standby.port},127.0.0.1:{primary.port}/")  # the standby first
    link = Link(url)
    await link.fetch("CREATE TABLE kept AS SELECT 1 AS one")
    assert await port_of(url) == primary.port
    await primary.kill()
    with pytest.raises(StoreUnavailable):
        await link.fetch("INSERT INTO kept VALUES (2)")
    with pytest.raises((OSError, asyncpg.TargetServerAttributeNotMatched)):
        await connect(url, timeout=5)
    await standby.promote()
    await link.fetch("INSERT INTO kept VALUES (3)")
    assert [row["one"] for row in await link.fetch("TABLE kept ORDER BY one")] == [1, 3]
    assert await port_of(url) == standby.port
    await link.close()


async def port_of(url: str) -> int:
    connection = await connect(url, timeout=5)
    try:
        port: int = await connection.fetchval("SELECT inet_server_port()")
        return port
    finally:
        await connection.close()


async def test_a_silent_server_leaves_the_next_one_its_share_of_the_time(database: Database) -> None:
    """One that is cut off says neither yes nor no: here the kernel accepts for it, and nobody answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = quote(parse_qs(urlsplit(database.app_url).query)["host"][0], safe="")
        url = database.app_url.partition("?")[0].replace("@/", f"@127.0.0.1:{silent.getsockname()[1]},{host}/")
        connection = await connect(url, timeout=1)
        assert await connection.fetchval("SELECT current_user") == "minos_app"
        await connection.close()
