"""The embedded PostgreSQL: who may enter, what survives a kill, and that nothing is left behind."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from adapters import postgres_home
from adapters.children import AlreadyRunning, CannotStart, processes_working_in
from adapters.embedded_postgres import PostgresServer

ROOT = Path(__file__).parents[2]


async def ask(url: str, query: str) -> object:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[PostgresServer]:
    server = PostgresServer(tmp_path / "pg")
    await server.start()
    yield server
    await server.stop()


async def test_owner_and_app_are_not_superusers_and_the_app_owns_nothing(server: PostgresServer) -> None:
    mine = "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
    assert await ask(server.owner_url, mine) is False
    assert await ask(server.app_url, mine) is False
    assert await ask(server.app_url, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'minos'") == "minos_owner"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await ask(server.app_url, "CREATE TABLE public.mine ()")


async def test_a_transaction_of_the_app_ends_within_five_seconds(server: PostgresServer) -> None:
    assert await ask(server.app_url, "SHOW transaction_timeout") == "5s"
    assert await ask(server.app_url, "SHOW synchronous_commit") == "on"
    assert await ask(server.app_url, "SHOW fsync") == "on"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another user, who must reach it")
def test_a_folder_opened_for_passing_is_told_in_a_sentence_and_once(tmp_path: Path) -> None:
    closed, home = tmp_path / "closed", tmp_path / "closed" / "pg"
    closed.mkdir(mode=0o700)
    home.mkdir(mode=0o700)
    told: list[str] = []
    postgres_home.let_through(home, told.append)
    assert closed.stat().st_mode & 0o777 == 0o701
    assert told[-1].startswith(f"opened {closed} for passing through (o+x)")
    again: list[str] = []
    postgres_home.let_through(home, again.append)
    assert again == []


async def test_other_users_of_the_machine_cannot_get_in(server: PostgresServer) -> None:
    assert await ask(server.superuser_url, "SHOW listen_addresses") == ""
    host = server.app_url.partition("host=")[2]
    assert Path(host).stat().st_mode & 0o007 == 0
    for kept in ("passwords.json", "postgres.log"):
        assert (server.home / kept).stat().st_mode & 0o077 == 0
    for role in ("minos_app", "minos_owner", "postgres"):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await ask(f"postgresql://{role}:guess@/minos?host={host}", "SELECT 1")


async def test_no_password_reaches_the_servers_log_or_a_repr(server: PostgresServer) -> None:
    log = (server.home / "postgres.log").read_text()
    for url in (server.app_url, server.owner_url, server.superuser_url):
        password = url.partition("//")[2].partition("@")[0].partition(":")[2]
        assert password not in log
        assert password not in repr(vars(server))


async def test_what_was_committed_survives_a_kill(server: PostgresServer) -> None:
    await ask(server.owner_url, "CREATE TABLE kept AS SELECT 7 AS n")
    await server.kill()
    assert processes_working_in(server.home / "pgdata") == []
    await server.start()
    assert await ask(server.owner_url, "SELECT n FROM kept") == 7


async def test_a_folder_serves_one_server_at_a_time(server: PostgresServer) -> None:
    with pytest.raises(AlreadyRunning, match=str(os.getpid())):
        await PostgresServer(server.home).start()
    assert await ask(server.app_url, "SELECT 1") == 1


@pytest.mark.parametrize("where", ["pgdata/postmaster.pid", "socket/.s.PGSQL.5432.lock"])
async def test_a_recycled_pid_in_a_lock_file_does_not_keep_it_from_starting(server: PostgresServer, where: str) -> None:
    """Or that of a dead server nobody has buried yet, as in a container whose first process buries nobody."""
    await server.kill()
    lock_file = server.home / where
    user = postgres_home.system_user(print)
    with subprocess.Popen(["sleep", "60"], user=None if user is None else user.uid) as innocent:
        lines = lock_file.read_text().split("\n")
        lock_file.write_text("\n".join([str(innocent.pid), *lines[1:]]))
        try:
            await server.start()
            assert await ask(server.app_url, "SELECT 1") == 1
            assert innocent.poll() is None
        finally:
            innocent.kill()


async def test_a_server_left_running_is_stopped_before_the_next_starts(server: PostgresServer, tmp_path: Path) -> None:
    left = server._child
    assert left is not None
    server._released()  # as if we had died without the kernel's help
    await server.start()
    assert left.poll() is not None
    assert await ask(server.app_url, "SELECT 1") == 1


async def test_a_cut_short_initdb_is_done_again(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path / "pg")
    (tmp_path / "pg" / "pgdata" / "base").mkdir(parents=True)
    (tmp_path / "pg" / "unfinished").touch()
    await server.start()
    assert await ask(server.app_url, "SELECT 1") == 1
    assert not (tmp_path / "pg" / "unfinished").exists()
    await server.stop()


async def test_a_long_path_with_spaces_and_commas_works(tmp_path: Path) -> None:
    home = tmp_path / ("long, 'quoted' and ünusual " * 4)
    server = PostgresServer(home)
    await server.start()
    assert await ask(server.app_url, "SELECT 1") == 1
    await server.stop()


async def test_a_folder_for_the_socket_made_by_another_user_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make another user's folder")
    with tempfile.TemporaryDirectory() as short:  # the path of a socket has 107 bytes at most
        monkeypatch.setattr(postgres_home, "_MAX_SOCKET_FOLDER", 1)
        monkeypatch.setenv("TMPDIR", short)
        monkeypatch.setattr("tempfile.tempdir", None)
        server = PostgresServer(Path(short) / "pg")
        await server.start()
        await server.stop()
        folder = next(Path(short).glob("minos-*"))
        os.chown(folder, 65534, 65534)
        with pytest.raises(CannotStart, match="another user"):
            await server.start()


async def test_a_copy_of_the_programs_is_used_when_the_user_may_not_run_the_installed_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root runs it as another user")
    monkeypatch.setattr(postgres_home, "_open_to_others", lambda _: False)
    server = PostgresServer(tmp_path / "pg")
    await server.start()
    executable = Path(f"/proc/{server.pid}/exe").readlink()
    assert executable.is_relative_to(server.home)
    await server.stop()


async def test_a_failure_to_start_tells_what_the_server_said(server: PostgresServer) -> None:
    await server.stop()
    (server.home / "pgdata" / "postgresql.conf").write_text("no_such_parameter = 1\n")
    with pytest.raises(CannotStart, match="no_such_parameter"):
        await server.start()


async def test_servers_end_when_the_program_that_started_them_is_killed(tmp_path: Path) -> None:
    program = textwrap.dedent(f"""
        import asyncio, sys, time
        from pathlib import Path
        from adapters.embedded_nats import NatsServer
        from adapters.embedded_postgres import PostgresServer
        async def main():
            home = Path({str(tmp_path)!r})
            await asyncio.gather(PostgresServer(home / "pg").start(), NatsServer(home / "nats").start())
            print("up", flush=True)
            time.sleep(60)
        asyncio.run(main())
    """)
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout is not None
        while parent.stdout.readline() != b"up\n":
            assert parent.poll() is None
        folders = [tmp_path / "pg" / "pgdata", tmp_path / "nats"]
        assert all(processes_working_in(folder) for folder in folders)
        parent.send_signal(signal.SIGKILL)
    async with asyncio.timeout(10):
        while any(processes_working_in(folder) for folder in folders):
            await asyncio.sleep(0.02)
