"""The roles and the database of an embedded PostgreSQL, and the passwords they are kept behind."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

import asyncpg
import msgspec

_SQL = Path(__file__).with_suffix(".sql").read_text()


class RolePasswords(msgspec.Struct, frozen=True, kw_only=True):
    """256-bit random passwords in hexadecimal: nothing in them needs escaping in a URL."""

    superuser: str
    owner: str
    app: str

    def __repr__(self) -> str:
        return "RolePasswords(hidden)"


def kept_passwords(path: Path) -> RolePasswords:
    """Read the passwords kept at `path`, making them the first time. Mode 0600, written beside and renamed."""
    if path.exists():
        return msgspec.json.decode(path.read_bytes(), type=RolePasswords)
    made = RolePasswords(superuser=secrets.token_hex(32), owner=secrets.token_hex(32), app=secrets.token_hex(32))
    scratch = path.with_suffix(".new")
    scratch.unlink(missing_ok=True)
    fd = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(msgspec.json.encode(made))
        file.flush()
        os.fsync(file.fileno())
    scratch.rename(path)
    return made


async def ensure_roles(connection: "asyncpg.Connection[asyncpg.Record]", passwords: RolePasswords) -> None:
    """Make the roles and the database unless they are there. Every statement may be run again after a crash.

    The passwords travel as a setting, never in the text of a statement, which the server may write to its log.
    """
    statements = dict(_named(block) for block in _SQL.split("-- name: ")[1:])
    if await connection.fetchval(statements["find_database"]):
        return
    await connection.execute(statements["hold_passwords"], passwords.owner, passwords.app)
    await connection.execute(statements["make_roles"])
    with suppress(asyncpg.DuplicateDatabaseError):
        await connection.execute(statements["make_database"])
    await connection.execute(statements["close_database"])


def _named(block: str) -> tuple[str, str]:
    name, _, statement = block.partition("\n")
    return name.strip(), statement.strip()
