"""Apply the numbered files of this folder, forward only, each in one transaction.

Run with a connection of the owner role, straight to the server (no transaction pooler). An applied file never changes:
its SHA-256 is kept beside its number, and a difference stops the run.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

FOLDER = Path(__file__).parent
LOCK_KEY = 0x6D696E6F73
"""Advisory lock of the run, held by each file's transaction: two runs take turns, file by file."""

STATEMENT_TIMEOUT_SECONDS = 600.0
OLDEST_SERVER = 170_000
"""`server_version_num`: identity columns on partitioned tables and transaction_timeout came with 17."""


class MigrationRefused(Exception):
    """The database is not one these files can be applied to; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    version: int
    name: str
    sql: str

    @property
    def digest(self) -> bytes:
        return sha256(self.sql.encode()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Versions, ascending. `unknown` were applied by newer code than this; `edited` differ from what was applied."""

    applied: tuple[int, ...]
    pending: tuple[int, ...]
    unknown: tuple[int, ...]
    edited: tuple[int, ...]

    @property
    def ready(self) -> bool:
        """Whether this code may serve: nothing missing, nothing edited. Newer files are fine: from the first release on they only add."""
        return not self.pending and not self.edited


def load(folder: Path = FOLDER) -> tuple[Migration, ...]:
    """Read the files, `NNNN_name.sql`, numbered from 1 without a gap."""
    found: list[Migration] = []
    for path in sorted(folder.glob("*.sql")):
        match = re.fullmatch(r"(\d{4})_([a-z0-9_]+)\.sql", path.name)
        if match is None or int(match[1]) != len(found) + 1:
            raise MigrationRefused(f"{path.name} is not the next migration: expected {len(found) + 1:04d}_<name>.sql")
        found.append(Migration(version=len(found) + 1, name=match[2], sql=path.read_text(encoding="utf-8")))
    return tuple(found)


TARGET = len(load())
"""The version this code needs."""


async def status(connection: Connection, migrations: Sequence[Migration] | None = None) -> Status:
    """Compare the database with the files. Any role that may read `migrations` can ask."""
    wanted = {m.version: m for m in (load() if migrations is None else migrations)}
    applied = await _applied(connection)
    return Status(
        applied=tuple(sorted(applied)),
        pending=tuple(v for v in sorted(wanted) if v not in applied),
        unknown=tuple(v for v in sorted(applied) if v not in wanted),
        edited=tuple(v for v, m in sorted(wanted.items()) if v in applied and applied[v] != m.digest),
    )


async def migrate(connection: Connection, migrations: Sequence[Migration] | None = None) -> tuple[int, ...]:
    """Bring the database to this code's version and give the versions applied now. Safe to repeat and to run twice at once.

    Raises MigrationRefused when an applied file was edited, the server is too old, or the role may not do it.
    """
    wanted = load() if migrations is None else migrations
    if connection.get_server_version() < (OLDEST_SERVER // 10_000, 0):
        raise MigrationRefused(f"PostgreSQL {OLDEST_SERVER // 10_000} or newer is needed")
    await _make_table(connection)
    edited = (await status(connection, wanted)).edited
    if edited:
        raise MigrationRefused(f"applied migrations were edited: {', '.join(f'{v:04d}' for v in edited)}")
    return tuple([m.version for m in wanted if await _apply(connection, m)])


async def _apply(connection: Connection, migration: Migration) -> bool:
    async with connection.transaction(isolation="read_committed"):
        await _take_turn(connection)
        if migration.version in await _applied(connection):
            return False
        try:
            await connection.execute(migration.sql, timeout=STATEMENT_TIMEOUT_SECONDS)
        except asyncpg.InsufficientPrivilegeError as refused:
            hint = f" ({refused.hint})" if refused.hint else ""
            raise MigrationRefused(f"migration {migration.version:04d}_{migration.name}: {refused}{hint}") from refused
        await connection.execute(
            "INSERT INTO public.migrations (version, name, digest) VALUES ($1, $2, $3)",
            migration.version, migration.name, migration.digest,
        )  # fmt: skip
        return True


async def _make_table(connection: Connection) -> None:
    async with connection.transaction(isolation="read_committed"):
        await _take_turn(connection)
        await connection.execute("""
            CREATE TABLE IF NOT EXISTS public.migrations (
                version integer PRIMARY KEY, name text NOT NULL, digest bytea NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT clock_timestamp())
        """)


async def _take_turn(connection: Connection) -> None:
    await connection.execute("SET LOCAL lock_timeout = '60s'; SET LOCAL search_path = public")
    await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK_KEY, timeout=STATEMENT_TIMEOUT_SECONDS)


async def _applied(connection: Connection) -> Mapping[int, bytes]:
    if await connection.fetchval("SELECT to_regclass('public.migrations')") is None:
        return {}
    rows = await connection.fetch("SELECT version, digest FROM public.migrations")
    return {row["version"]: row["digest"] for row in rows}
