"""Makes a backup while everything serves: the database of one moment, and what belongs to it."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from adapters import postgres_programs
from adapters.months import FOLDER, month_of
from adapters.postgres import CONNECT_SECONDS, Connection
from adapters.postgres_connect import connect
from adapters.postgres_links import Links
from adapters.postgres_sql import statements
from adapters.root_keys import open_root, wrapped_roots
from adapters.second_place import place_at
from adapters.settings import Settings
from adapters.settings_table import SETTINGS as ROWS
from adapters.settings_table import shown
from adapters.tree_store import SQL as TREE
from workers.backup import manifest as files
from workers.backup.folder import finish, unfinished
from workers.backup.manifest import Manifest
from workers.backup.pieces import digests
from workers.backup.seal import sealed

SQL = statements(Path(__file__).with_name("backup.sql"))
DUMPED = 'dumping contents of table "'
_LOCK_WAIT = "--lock-wait-timeout=60s"
"""For a partition that is being moved: a backup waits, and whoever serves does not wait for it."""


class CannotBackUp(Exception):
    """There is no backup. The message tells the operator why, and what to do."""


class Advance(Struct, frozen=True, kw_only=True):
    """How far it is, by tables."""

    stage: str
    done: int
    total: int
    per_second: float = 0.0


class Making(Struct, frozen=True, kw_only=True):
    """`url` is of a role that may read everything. Holds a password. `months`: the months' keys are copied too."""

    url: str
    parent: Path
    settings: Settings
    release: str
    months: bool = False

    def __repr__(self) -> str:
        return f"Making({str(self.parent)!r})"


class Made(Struct, frozen=True, kw_only=True):
    path: Path
    manifest: Manifest


async def make(asked: Making, told: Callable[[Advance], None] = lambda _: None) -> Made:
    """Killed at any moment it leaves nothing that looks like a backup. Raises CannotBackUp, AlreadyRunning, CannotStart, ProgramFailed,
    what open_root raises, and what asyncpg does."""
    links = Links(asked.url, size=1)
    connection = await connect(asked.url, timeout=CONNECT_SECONDS)
    try:
        root, wrapped = await open_root(asked.settings, links, making=False), await wrapped_roots(links)
        with unfinished(asked.parent) as folder:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                manifest = await _filled(asked, folder, connection, told)
            text = files.encoded(manifest)
            (folder / files.MANIFEST).write_bytes(text)
            (folder / files.SEAL).write_bytes(sealed(text, root, wrapped))
            return Made(path=finish(folder, manifest.made_at), manifest=manifest)
    finally:
        await links.close()
        await connection.close(timeout=CONNECT_SECONDS)


async def _filled(asked: Making, folder: Path, connection: Connection, told: Callable[[Advance], None]) -> Manifest:
    moment = await connection.fetchrow(SQL["moment"])
    if moment is None:
        raise CannotBackUp("there is no log in this database")
    program = postgres_programs.find("pg_dump", moment["postgres"])
    await _refuse_strange(connection)
    counting = await _countable(connection)
    checkpoint = await connection.fetchrow(TREE["newest_of_all"])
    if checkpoint is not None:
        (folder / files.CHECKPOINT).write_text(checkpoint["note"], encoding="utf-8")
    (folder / files.SETTINGS).write_bytes(_settings(asked.settings))
    if asked.months:
        await _copy_months(asked.settings, folder)
    arguments = ["--format=custom", f"--snapshot={moment['snapshot']}", _LOCK_WAIT, "--verbose", f"--file={folder / files.DUMP}"]
    counts = asyncio.create_task(_count(connection, counting))  # meanwhile
    try:
        await postgres_programs.run(program, arguments, asked.url, counted("copying", DUMPED, len(counting), told))
        tables = await counts
    finally:
        counts.cancel()
    return Manifest(
        made_at=moment["made_at"],
        release=asked.release,
        issuer=asked.settings.issuer,
        postgres=moment["postgres"],
        migrations=moment["migrations"],
        epoch=moment["epoch"],
        size=moment["size"],
        checkpoint=0 if checkpoint is None else checkpoint["size"],
        roles=[row["rolname"] for row in await connection.fetch(SQL["roles"])],
        tables=tables,
        files=await asyncio.to_thread(files.sums, folder),
        pieces=await asyncio.to_thread(digests, folder / files.DUMP),
    )


def counted(stage: str, words: str, total: int, told: Callable[[Advance], None]) -> Callable[[str], None]:
    """Give what counts the lines with these words, one for each table."""
    done = 0

    def heard(line: str) -> None:
        nonlocal done
        if words in line:
            done += 1
            told(Advance(stage=stage, done=done, total=total))

    return heard


async def count_rows(connection: Connection) -> Mapping[str, int]:
    return await _count(connection, {row["name"]: row["counting"] for row in await connection.fetch(SQL["tables"])})


async def _count(connection: Connection, counting: Mapping[str, str]) -> dict[str, int]:
    return {name: await connection.fetchval(sql) for name, sql in counting.items()}


async def _refuse_strange(connection: Connection) -> None:
    """What a role that may make tables has put beside ours is not run by who restores it, nor by us: policies of rows are not looked at."""
    await connection.execute("SET LOCAL row_security = off")
    if strange := await connection.fetch(SQL["strange"]):
        raise CannotBackUp(
            f"{strange[0]['name']} belongs to {strange[0]['owner']} and is none of Minos' own ({len(strange)} such): a restore would run "
            "it as an administrator. Find out who made it; DROP it, or give it to the owner of the schema"
        )


async def _countable(connection: Connection) -> dict[str, str]:
    rows = await connection.fetch(SQL["tables"])
    if closed := [row["name"] for row in rows if not row["readable"]]:
        role = await connection.fetchval("SELECT current_user")
        raise CannotBackUp(
            f"{role} may not read {len(closed)} tables, as {closed[0]}: set MINOS_BACKUP_DATABASE_URL to an administrator, or to a role "
            "that was granted pg_read_all_data"
        )
    return {row["name"]: row["counting"] for row in rows}


def _settings(settings: Settings) -> bytes:
    given = {row.name: shown(getattr(settings, row.field)) for row in ROWS if not row.secret}
    return msgspec.json.format(msgspec.json.encode(given)) + b"\n"


async def _copy_months(settings: Settings, folder: Path) -> None:
    """As they lie there: wrapped by a root key. What else is there is not ours, and may have any name."""
    place = place_at(settings.keys_place, settings)
    try:
        for name in filter(month_of, await place.names(FOLDER)):
            kept = await place.get(name)
            if kept is not None:
                (folder / name).parent.mkdir(mode=0o700, exist_ok=True)
                (folder / name).write_bytes(kept.data)
    finally:
        await place.close()
