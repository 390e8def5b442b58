"""The data folder of an embedded PostgreSQL: made once by initdb, redone when the making was cut short."""

import asyncio
import os
import shutil
import signal
from pathlib import Path

from adapters import postgres_home
from adapters.children import CannotStart, SystemUser, end_leftovers, exited, spawn, stop

ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}
_INITDB_S = 60.0
_LOG_TAIL_LINES = 15


async def ensure_cluster(pgdata: Path, user: SystemUser | None, *, superuser_password: str, log_path: Path) -> bool:
    """Run initdb unless the folder is whole. True when it ran: sync it, then call `mark_finished`.

    A marker beside the folder says that its making is unfinished. What lies there then never served anybody (a start
    returns after the marker is gone), so it is thrown away and made again.
    """
    if pgdata.exists() and not _marker(pgdata).exists():
        return False
    _marker(pgdata).touch(mode=0o600)
    shutil.rmtree(pgdata, ignore_errors=True)
    pgdata.mkdir(mode=0o700)
    password_file = pgdata.parent / "initdb-password"
    password_file.touch(mode=0o600)
    password_file.write_text(superuser_password)
    if user is not None:
        os.chown(pgdata, user.uid, user.gid)
        os.chown(password_file, user.uid, user.gid)
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    access = ["--username=postgres", "--auth=scram-sha-256", f"--pwfile={password_file}"]
    try:
        await _initdb(pgdata, user, "--no-sync", "--no-instructions", *locale, *access, log_path=log_path)
    finally:
        password_file.unlink()
    return True


async def sync_cluster(pgdata: Path, user: SystemUser | None, *, log_path: Path) -> None:
    """Force what initdb wrote to disk, once, instead of file by file while it writes."""
    await _initdb(pgdata, user, "--sync-only", log_path=log_path)


def mark_finished(pgdata: Path) -> None:
    _marker(pgdata).unlink()


def _marker(pgdata: Path) -> Path:
    return pgdata.parent / "unfinished"


async def _initdb(pgdata: Path, user: SystemUser | None, *arguments: str, log_path: Path) -> None:
    binary = postgres_home.programs(pgdata.parent, user) / "initdb"
    with log_path.open("ab") as output:
        child = spawn([str(binary), "-D", str(pgdata), *arguments], cwd=pgdata, output=output, env=ENVIRONMENT, user=user)
    try:
        async with asyncio.timeout(_INITDB_S):
            code = await exited(child)
    finally:  # too slow, or we are told to stop: neither it nor the servers it runs may stay
        if child.poll() is None:
            await stop(child, (signal.SIGTERM, 2.0))
            await end_leftovers(pgdata, first=signal.SIGTERM, main_pid=None, grace_s=2.0)
    if code != 0:
        raise CannotStart(f"initdb failed ({code}):\n{log_tail(log_path)}")


def log_tail(log_path: Path) -> str:
    """Give the last lines a server wrote, for the message of a failure."""
    return "\n".join(log_path.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:])
