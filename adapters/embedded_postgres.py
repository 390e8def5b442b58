"""A real PostgreSQL of our own, from the wheel's programs, for one folder.

Local users of the machine cannot get in: no TCP, a socket folder closed to them, and scram-sha-256 for every role with
passwords made here and kept in a file of mode 0600.
"""

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import asyncpg
import structlog

from adapters import postgres_home
from adapters.children import CannotStart, SystemUser, end_leftovers, exited, hold_folder, processes_working_in, spawn, stop
from adapters.postgres_cluster import ENVIRONMENT, ensure_cluster, log_tail, mark_finished, sync_cluster
from adapters.postgres_roles import RolePasswords, ensure_roles, kept_passwords

_START_S = 60.0
"""Crash recovery replays at most max_wal_size of log; a minute is far above that on any disk."""
_POLL_S = 0.01
_LOG_LIMIT = 16 * 2**20
_SOCKET = ".s.PGSQL.5432"

_CONF = {
    "listen_addresses": "",
    "shared_buffers": "128MB",
    "max_connections": "100",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "synchronous_commit": "on",
    "password_encryption": "scram-sha-256",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_duration_statement": "-1",
    "log_checkpoints": "off",
}
_NOT_DURABLE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}

log = structlog.stdlib.get_logger()


class PostgresServer:
    """One PostgreSQL for `home`, with database `minos`, its owner role `minos_owner` and the serving role `minos_app`.

    Stops by itself (fast shutdown) when the thread that called `start` ends, however it ends. `durable=False` gives up
    surviving a power cut, for tests; a killed server is recovered either way. `tell` hears what is changed on the machine
    outside `home` so that it can run. URLs hold passwords: they hide nowhere but in this object and `home`, so never log
    them.
    """

    def __init__(self, home: Path, *, durable: bool = True, tell: Callable[[str], None] = postgres_home.log_it) -> None:
        self.home = home.resolve()
        self._tell = tell
        self._pgdata = self.home / "pgdata"
        self._durable = durable
        self._child: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None
        self._socket: Path | None = None
        self._passwords: RolePasswords | None = None

    @property
    def pid(self) -> int | None:
        return None if self._child is None else self._child.pid

    @property
    def owner_url(self) -> str:
        """The role that owns the schema: for migrations. Not a superuser."""
        return self._url("minos_owner", "minos", self._secrets().owner)

    @property
    def app_url(self) -> str:
        return self._url("minos_app", "minos", self._secrets().app)

    @property
    def superuser_url(self) -> str:
        return self._url("postgres", "postgres", self._secrets().superuser)

    @property
    def admin_url(self) -> str:
        """The superuser in our database: for copying and restoring the whole of it."""
        return self._url("postgres", "minos", self._secrets().superuser)

    def _secrets(self) -> RolePasswords:
        if self._passwords is None:
            raise CannotStart("the database has no URL before it was started")
        return self._passwords

    def _url(self, role: str, database: str, password: str) -> str:
        return f"postgresql://{role}:{password}@/{database}?host={self._socket}"

    async def start(self) -> None:
        """Make what is missing, recover what a crash left, and return when every role can connect.

        Raises CannotStart, or AlreadyRunning when another living program holds `home`.
        """
        user = self._prepare_home()
        if self._lock is None:
            self._lock = hold_folder(self.home)
        try:
            await self._clear_leftovers()
            fresh = await ensure_cluster(self._pgdata, user, superuser_password=self._secrets().superuser, log_path=self._log_path)
            self._child = self._launch(user)
            if fresh and self._durable:  # beside the first start: neither waits for the other
                await asyncio.gather(sync_cluster(self._pgdata, user, log_path=self._log_path), self._ensure_roles())
            else:
                await self._ensure_roles()
            if fresh:
                mark_finished(self._pgdata)
        except BaseException:
            await self.stop()
            raise

    def find(self) -> bool:
        """Learn the URLs of the server another program runs for `home`. False when there is none; nothing is started or made."""
        kept = self.home / "passwords.json"
        self._socket = postgres_home.socket_place(self.home)
        if not kept.exists() or not (self._socket / _SOCKET).exists():
            return False
        self._passwords = kept_passwords(kept)
        return True

    async def stop(self) -> None:
        """Shut down fast: open transactions are rolled back, everything is written."""
        if self._child is not None:
            await stop(self._child, (signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0))
        self._released()

    async def kill(self) -> None:
        """End every process of the server with SIGKILL, as a crash would."""
        if self._child is not None:
            self._child.kill()
            await end_leftovers(self._pgdata, first=signal.SIGKILL, main_pid=None, grace_s=5.0)
            await exited(self._child)
        self._released()

    async def exited(self) -> int:
        """Wait until the server ends, for whatever reason, and give its exit code."""
        if self._child is None:
            raise CannotStart("the database was not started")
        return await exited(self._child)

    def _released(self) -> None:
        self._child = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _prepare_home(self) -> SystemUser | None:
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        user = postgres_home.system_user(self._tell)
        if user is not None:
            postgres_home.let_through(self.home, self._tell)
        self._socket = postgres_home.socket_folder(self.home, user)
        self._passwords = kept_passwords(self.home / "passwords.json")
        self._log_path.touch(mode=0o600)
        return user

    async def _clear_leftovers(self) -> None:
        """Trust no pid in a file: it may be somebody else's by now. Ask who works in the data folder, and end them."""
        lock_file = self._pgdata / "postmaster.pid"
        try:
            main_pid = int(lock_file.read_text().partition("\n")[0])
        except (OSError, ValueError):
            main_pid = None
        if await end_leftovers(self._pgdata, first=signal.SIGINT, main_pid=main_pid, grace_s=10.0):
            log.warning("leftover_server_stopped", part="postgres")
        if Path("/proc/self/cwd").exists() and not processes_working_in(self._pgdata):
            # Nobody is left: the files are stale. PostgreSQL would refuse to start if their pid were another program's of this user by
            # now, or a dead one's that nobody has buried.
            for stale in (lock_file, postgres_home.socket_place(self.home) / f"{_SOCKET}.lock"):
                stale.unlink(missing_ok=True)

    def _launch(self, user: SystemUser | None) -> subprocess.Popen[bytes]:
        binary = postgres_home.programs(self.home, user) / "postgres"
        conf = _CONF | {"unix_socket_directories": str(self._socket)} | ({} if self._durable else _NOT_DURABLE)
        options = [part for name, value in conf.items() for part in ("-c", f"{name}={value}")]
        if self._log_path.exists() and self._log_path.stat().st_size > _LOG_LIMIT:
            self._log_path.replace(self._log_path.with_suffix(".log.1"))
        with self._log_path.open("ab") as output:
            argv = [str(binary), "-D", str(self._pgdata), *options]
            return spawn(argv, cwd=self._pgdata, output=output, env=ENVIRONMENT, user=user, when_orphaned=signal.SIGINT)

    @property
    def _log_path(self) -> Path:
        return self.home / "postgres.log"

    async def _ensure_roles(self) -> None:
        connection = await self._connect()
        try:
            await ensure_roles(connection, self._secrets())
        finally:
            await connection.close(timeout=5)

    async def _connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        """Connect for real, every 10 ms until the server lets us."""
        async with asyncio.timeout(_START_S):
            while True:
                if self._child is None or self._child.poll() is not None:
                    raise CannotStart(f"PostgreSQL ended while starting:\n{log_tail(self._log_path)}")
                with suppress(OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError):
                    return await asyncpg.connect(self.superuser_url, timeout=5)
                await asyncio.sleep(_POLL_S)


def running_app_url(home: Path) -> str:
    """Give the serving role's URL of the server another program runs for `home`. Raises CannotStart when none does."""
    return _running_url(home.resolve(), "minos_app", lambda passwords: passwords.app)


def running_owner_url(home: Path) -> str:
    """The same for the role that owns the schema."""
    return _running_url(home.resolve(), "minos_owner", lambda passwords: passwords.owner)


def running_admin_url(home: Path) -> str:
    """The same for the superuser, who may read everything."""
    return _running_url(home.resolve(), "postgres", lambda passwords: passwords.superuser)


def _running_url(home: Path, role: str, chosen: Callable[[RolePasswords], str]) -> str:
    if not (home / "passwords.json").exists() or not (home / "pgdata" / "postmaster.pid").exists():
        raise CannotStart(f"no database runs in {home}: start it with `minos up`, or set MINOS_DATA_DIR or MINOS_DATABASE_URL")
    password = chosen(kept_passwords(home / "passwords.json"))
    return f"postgresql://{role}:{password}@/minos?host={postgres_home.socket_folder(home, postgres_home.system_user())}"
