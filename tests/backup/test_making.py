"""A backup is of one moment, whole or not there, and gives nothing away."""

import asyncio
import os
import re
import signal
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from msgspec.structs import replace

from adapters import postgres_programs
from adapters.children import AlreadyRunning, CannotStart, hold_folder
from adapters.postgres_connect import connect, newest
from adapters.secret import Secret
from adapters.settings import Settings
from bench.running import minos
from tests.backup.conftest import EMPTY, making
from tests.conftest import Database
from workers.backup import manifest as files
from workers.backup.folder import backups, expire, name_of, unfinished
from workers.backup.making import CannotBackUp, Made, make

OURS = "https://auth.example.org"
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DEADLINE_S = 30.0


def test_it_says_what_it_is_of(made: Made, furnished: tuple[Settings, Database]) -> None:
    manifest = made.manifest
    assert manifest.size == manifest.tables["public.events_p000000"] > 0
    assert (manifest.epoch, manifest.postgres, manifest.issuer) == (1, 18, furnished[0].issuer)
    assert {"minos_owner", "minos_app"} <= set(manifest.roles)
    assert {files.DUMP, files.SETTINGS} < set(manifest.files)
    assert manifest.has_months
    assert files.decoded(files.read(made.path)) == manifest
    assert files.differences(made.path, manifest) == []


def test_nobody_else_may_look_and_no_secret_of_the_settings_is_in_it(made: Made, furnished: tuple[Settings, Database]) -> None:
    paths = [made.path, *made.path.rglob("*")]
    assert {path.stat().st_mode & 0o077 for path in paths} == {0}
    settings = furnished[0]
    secrets = [settings.database_url, settings.migration_database_url, settings.backup_database_url]
    passwords = [urlsplit(secret.reveal()).password for secret in secrets if secret is not None]
    assert settings.master_key is not None
    said = b"".join(path.read_bytes() for path in paths if path.is_file())
    assert [each for each in [*passwords, settings.master_key.reveal()] if each is None or each.encode() in said] == []


async def until(what: Callable[[], object]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not what():
            await asyncio.sleep(0.02)


def dumping(folder: Path) -> list[Path]:
    """Give the processes that write below this folder, by what their arguments name."""
    found: list[Path] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            said = (process / "cmdline").read_bytes()
        except OSError:
            continue  # it has ended
        if str(folder).encode() in said and b"pg_dump" in said.partition(b"\0")[0]:
            found.append(process)
    return found


async def test_killed_while_it_copies_it_leaves_no_backup_and_told_nobody_a_password(
    furnished: tuple[Settings, Database], tmp_path: Path
) -> None:
    settings, database = furnished
    assert settings.master_key is not None
    given = {
        "MINOS_DATABASE_URL": database.app_url,
        "MINOS_BACKUP_DATABASE_URL": database.superuser_url,
        "MINOS_MASTER_KEY": settings.master_key.reveal(),
        "MINOS_DATA_DIR": str(settings.data_dir),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MINOS_")}
    owner = await asyncpg.connect(database.owner_url)
    async with owner.transaction():
        await owner.execute("LOCK TABLE last_used IN ACCESS EXCLUSIVE MODE")  # the dump waits for it
        argv = [*minos(), "backup", "make", str(tmp_path / "backups")]
        program = subprocess.Popen(argv, env=kept | given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        await until(lambda: dumping(tmp_path))
        [process] = dumping(tmp_path)
        told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        assert [url for url in (database.app_url, database.superuser_url) if str(urlsplit(url).password).encode() in told] == []
        assert settings.master_key.reveal().encode() not in told
        os.kill(program.pid, signal.SIGKILL)
        program.wait()
        await until(lambda: not dumping(tmp_path))
        assert backups(tmp_path / "backups") == []
        assert [path.name for path in (tmp_path / "backups").iterdir() if path.is_dir()] == [f".unfinished-{program.pid}"]
    await owner.close()
    done = await make(making(settings, tmp_path / "backups"))
    assert {path.name for path in (tmp_path / "backups").iterdir()} == {done.path.name, "lock"}


def test_what_lies_where_earlier_crashes_left_theirs_goes_and_nothing_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()
    parent = tmp_path / "backups"
    parent.mkdir()
    (parent / ".unfinished-1").symlink_to(tmp_path / "precious")
    (parent / ".unfinished-2").touch()
    (parent / ".unfinished-3").mkdir()
    with unfinished(parent) as folder:
        assert {path.name for path in parent.iterdir()} == {folder.name, "lock"}
    assert (tmp_path / "precious" / "file").exists()


async def test_two_at_once_in_one_folder_are_refused(settings: Settings, tmp_path: Path) -> None:
    held = hold_folder(tmp_path)
    with pytest.raises(AlreadyRunning):
        await make(making(settings, tmp_path))
    os.close(held)


def test_a_link_in_the_place_of_the_lock_has_nothing_emptied(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "lock").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match="symbolic links"):
        hold_folder(tmp_path / "folder")
    assert (tmp_path / "precious").read_text() == "mine"


async def test_who_may_not_read_everything_is_told_what_to_set(settings: Settings, tmp_path: Path) -> None:
    assert settings.migration_database_url is not None
    asked = replace(making(settings, tmp_path), url=settings.migration_database_url.reveal())
    with pytest.raises(CannotBackUp, match=r"minos_owner may not read \d+ tables, as read\..*MINOS_BACKUP_DATABASE_URL"):
        await make(asked)
    assert backups(tmp_path) == []


def lay(parent: Path, at: datetime, issuer: str) -> Path:
    folder = parent / name_of(at)
    folder.mkdir()
    (folder / files.MANIFEST).write_bytes(files.encoded(replace(EMPTY, issuer=issuer)))
    return folder


def lying(parent: Path, *days: int) -> list[str]:
    for each in days:
        lay(parent, NOW - timedelta(days=each), OURS)
    (parent / "notes").mkdir()
    (parent / name_of(NOW)).mkdir()  # without a manifest: somebody's own
    return [each.path.name for each in backups(parent)]


@pytest.mark.parametrize(("keep", "left"), [(1, [1]), (2, [1, 3]), (9, [1, 3])], ids=["newest", "two", "none-too-old"])
def test_old_ones_go_and_the_newest_stays(keep: int, left: list[int], tmp_path: Path) -> None:
    assert lying(tmp_path, 40, 31, 3, 1) == [name_of(NOW - timedelta(days=days)) for days in (40, 31, 3, 1)]
    gone = expire(tmp_path, OURS, keep=keep, made_before=NOW - timedelta(days=30))
    assert {each.path.name for each in backups(tmp_path)} == {name_of(NOW - timedelta(days=days)) for days in left}
    assert len(gone) == 4 - len(left)
    assert (tmp_path / "notes").is_dir()
    assert not list(tmp_path.glob(".unfinished-*"))


def test_the_newest_stays_however_old_it_is(tmp_path: Path) -> None:
    lying(tmp_path, 400, 300)
    expire(tmp_path, OURS, keep=1, made_before=NOW)
    assert [each.path.name for each in backups(tmp_path)] == [name_of(NOW - timedelta(days=300))]


def test_what_may_be_anothers_stays(tmp_path: Path) -> None:
    """Who keeps theirs in the same folder, whoever puts something there with a name like ours, and what a link leads to."""
    mine, newest = (lay(tmp_path, NOW - timedelta(days=days), OURS) for days in (3, 2))
    theirs = lay(tmp_path, NOW - timedelta(days=400), "https://another.example.org")
    broken = lay(tmp_path, NOW + timedelta(days=400), OURS)
    (broken / files.MANIFEST).write_text("{}")
    (tmp_path / "elsewhere").mkdir()
    elsewhere = lay(tmp_path / "elsewhere", NOW - timedelta(days=9), OURS)
    (tmp_path / elsewhere.name).symlink_to(elsewhere)
    assert expire(tmp_path, OURS, keep=1, made_before=NOW) == [mine]
    assert all(each.is_dir() for each in (newest, theirs, broken, elsewhere))


@pytest.mark.parametrize(
    ("url", "shown", "password"),
    [
        ("postgresql://ada:s%3Ae@db:5432/minos?sslmode=require", "postgresql://ada@db:5432/minos?sslmode=require", "s:e"),
        ("postgresql://ada:secret@/minos?host=/run/pg", "postgresql://ada@/minos?host=/run/pg", "secret"),
        ("postgresql://ada@db/minos?password=secret&sslmode=require", "postgresql://ada@db/minos?sslmode=require", "secret"),
        ("postgresql://db/minos", "postgresql://db/minos", ""),
        ("postgresql://ada@db/minos?sslkey=/k&sslpassword=of-the-key", "postgresql://ada@db/minos?sslkey=/k", ""),
    ],
    ids=["user", "socket", "query", "none", "key"],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str, password: str) -> None:
    assert postgres_programs.without_password(url) == shown
    with postgres_programs._password_file(url) as file:
        said = file.read().decode().strip()
    assert re.sub(r"\\(.)", r"\1", said.removeprefix("*:*:*:*:")) == password


def test_a_program_too_old_for_the_server_is_none() -> None:
    with pytest.raises(CannotStart, match="pg_dump of PostgreSQL 99 or newer is needed"):
        postgres_programs.find("pg_dump", 99)


async def test_of_several_urls_no_password_is_shown(furnished: tuple[Settings, Database], tmp_path: Path) -> None:
    """Each has its own; the program is told of the server that answered."""
    url = furnished[1].superuser_url
    several = f"postgresql://postgres:first@127.0.0.1:1/minos,{url}"
    await (await connect(several, timeout=5)).close()
    assert newest(several) == url
    told = tmp_path / "told"
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\necho "$@" > {told}\n')
    program.chmod(0o700)
    await postgres_programs.run(program, [], several)
    assert f"--dbname={postgres_programs.without_password(url)}" in told.read_text()
    assert [text for text in ("first", urlsplit(url).password) if text is None or text in told.read_text()] == []


async def test_what_the_program_says_is_passed_on(furnished: tuple[Settings, Database]) -> None:
    database = furnished[1]
    with pytest.raises(postgres_programs.ProgramFailed, match="no matching tables were found") as failed:
        await postgres_programs.run(postgres_programs.find("pg_dump", 18), ["--table=no-such-table"], database.superuser_url)
    assert Secret(str(urlsplit(database.superuser_url).password)).reveal() not in str(failed.value)
