"""A PostgreSQL primary and its synchronous standby, each on a machine of its own, with the configuration in deploy/postgres."""

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import asyncpg

from adapters import postgres_home
from adapters.children import CannotStart, SystemUser, exited, stop
from adapters.postgres_cluster import ENVIRONMENT, ensure_cluster, log_tail, mark_finished
from adapters.postgres_roles import RolePasswords, ensure_roles
from bench.arguments import HERE

CONFIGURATION = HERE.parent / "deploy" / "postgres"
PORT = 5432
READY_S = 60.0
_POLL_S = 0.05
_IN_SYNC = "SELECT count(*) FROM pg_stat_replication WHERE application_name = $1 AND sync_state = 'sync'"
_MEMORY = "shared_buffers = 64MB\nmax_connections = 120\n"


class Place(Protocol):
    """Where a server runs: a machine, or what does as one."""

    name: str
    address: str

    def run(
        self, argv: list[str], *, folder: Path, log: Path, env: Mapping[str, str], user: SystemUser | None = None,
        when_orphaned: signal.Signals = signal.SIGTERM,
    ) -> "subprocess.Popen[bytes]": ...  # fmt: skip

    async def power_off(self) -> None: ...


class Postgres:
    """One server. It is a standby while its folder says so, and the primary otherwise."""

    def __init__(self, machine: Place, folder: Path, passwords: RolePasswords, *, port: int = PORT) -> None:
        self.machine, self.port = machine, port
        self.name = machine.name.replace("-", "_")
        self._home, self._passwords = folder, passwords
        self._pgdata = folder / machine.name
        self._log = folder / f"{machine.name}.log"
        self._user = postgres_home.system_user(lambda _: None)
        self._child: subprocess.Popen[bytes] | None = None

    def __repr__(self) -> str:
        return f"Postgres({self.name})"

    def url(self, role: str, database: str = "minos") -> str:
        """Holds a password."""
        password = {"minos_app": self._passwords.app, "minos_owner": self._passwords.owner}.get(role, self._passwords.superuser)
        return f"postgresql://{role}:{password}@{self.machine.address}:{self.port}/{database}"

    async def make(self) -> None:
        """Make an empty database with its roles, which serves as a primary from then on."""
        self._log.touch()
        await ensure_cluster(self._pgdata, self._user, superuser_password=self._passwords.superuser, log_path=self._log)
        mark_finished(self._pgdata)
        for name in ("primary-and-standby.conf", "pg_hba.conf"):
            self._own(Path(shutil.copy(CONFIGURATION / name, self._pgdata)))
        with (self._pgdata / "postgresql.conf").open("a") as file:
            file.write(f"{_MEMORY}unix_socket_directories = ''\ninclude 'primary-and-standby.conf'\n")
        await self.start()
        connection = await asyncpg.connect(self.url("postgres", "postgres"))
        try:
            await ensure_roles(connection, self._passwords)
            await connection.execute(f"CREATE ROLE minos_replica LOGIN REPLICATION PASSWORD '{self._passwords.superuser}'")
        finally:
            await connection.close()

    async def follow(self, primary: "Postgres") -> None:
        """Become a standby of `primary`, from a fresh copy of it, and one that its commits wait for."""
        shutil.rmtree(self._pgdata, ignore_errors=True)
        self._pgdata.mkdir(mode=0o700)
        self._own(self._pgdata)
        self._log.touch()
        passfile = self._own(self._home / "passfile", f"*:*:*:minos_replica:{self._passwords.superuser}\n")
        origin = f"host={primary.machine.address} port={primary.port} user=minos_replica application_name={self.name} passfile={passfile}"
        copy = self.machine.run(
            [str(self._programs / "pg_basebackup"), "-D", str(self._pgdata), "-d", origin, "-R", "-X", "stream", "-c", "fast"],
            folder=self._home, log=self._log, env=ENVIRONMENT, user=self._user,
        )  # fmt: skip
        if await exited(copy):
            raise CannotStart(f"pg_basebackup failed:\n{log_tail(self._log)}")
        await self.start()
        await primary.wait_for(self)

    async def start(self) -> None:
        """Start, and return when it answers. Raises CannotStart."""
        where = ("-c", f"listen_addresses={self.machine.address}", "-c", f"port={self.port}")
        argv = [str(self._programs / "postgres"), "-D", str(self._pgdata), *where]
        self._child = self.machine.run(
            argv, folder=self._pgdata, log=self._log, env=ENVIRONMENT, user=self._user, when_orphaned=signal.SIGINT
        )
        async with asyncio.timeout(READY_S):
            while True:
                if self._child.poll() is not None:
                    raise CannotStart(f"PostgreSQL ended while starting:\n{log_tail(self._log)}")
                with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    await (await asyncpg.connect(self.url("postgres", "postgres"), timeout=2)).close()
                    return
                await asyncio.sleep(_POLL_S)

    async def stop(self) -> None:
        if self._child is not None:
            await stop(self._child, (signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0))

    async def kill(self) -> None:
        """Take the machine's power away, and its lock file, which a machine that starts would find stale."""
        await self.machine.power_off()
        (self._pgdata / "postmaster.pid").unlink(missing_ok=True)

    async def wait_for(self, standby: "Postgres | None") -> None:
        """Let every commit wait for `standby` from now on, once it has all there is; for nobody where there is none."""
        await self._say("ALTER SYSTEM SET synchronous_standby_names = " + (f"'{standby.name}'" if standby else "''"))
        await self._say("SELECT pg_reload_conf()")
        if standby is None:
            return
        async with asyncio.timeout(READY_S):
            while not await self._ask(
                "SELECT count(*) FROM pg_stat_replication WHERE application_name = $1 AND sync_state = 'sync'", standby.name
            ):
                await asyncio.sleep(_POLL_S)

    async def promote(self) -> None:
        """Become the primary, which waits for nobody until there is a standby again."""
        await self._say("ALTER SYSTEM SET synchronous_standby_names = ''")
        await self._say("SELECT pg_reload_conf()")
        await self._say("SELECT pg_promote()")

    async def _say(self, statement: str) -> None:
        await self._ask(statement)

    async def _ask(self, statement: str, *arguments: object) -> object:
        connection = await asyncpg.connect(self.url("postgres", "postgres"), timeout=5)
        try:
            return await connection.fetchval(statement, *arguments, timeout=70)
        finally:
            await connection.close()

    @property
    def _programs(self) -> Path:
        return postgres_home.programs(self._home, self._user)

    def _own(self, path: Path, text: str | None = None) -> Path:
        if text is not None:
            path.touch(mode=0o600)
            path.write_text(text)
        if self._user is not None:
            os.chown(path, self._user.uid, self._user.gid)
        return path
