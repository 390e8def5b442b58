"""What `minos doctor` looks at of the role that serves: that it may do what it has to, and no more."""

import time
from pathlib import Path
from typing import TypeAlias

import asyncpg

from adapters.postgres_sql import statements
from cli.finding import Finding, found

SQL = statements(Path(__file__).with_suffix(".sql"))
LARGEST_SKEW_S = 2.0
MOST_NAMED = 3
_DEADLINE_S = 5.0

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


async def role(connection: Connection) -> list[Finding]:
    before = time.time()
    row = await connection.fetchrow(SQL["role"], timeout=_DEADLINE_S)
    if row is None:
        return [Finding(check="role", ok=False, detail="the server does not know the role it let in")]
    skew = abs(row["clock"] - (before + time.time()) / 2)
    lowly = not row["mighty"] and not row["owns"]
    bounded = row["transaction_timeout"] not in {"0", ""}
    return [
        Finding(check="role", ok=lowly, detail=f"serving as {row['name']}; it must be neither owner nor superuser"),
        Finding(
            check="transaction timeout", ok=bounded, detail=f"{row['transaction_timeout']} (ALTER ROLE ... SET transaction_timeout = '5s')"
        ),
        clock("clock", skew, "the database's"),
    ]


def clock(check: str, skew: float, of: str) -> Finding:
    return found(check, f"{skew:.3f} s apart from {of}", "have both machines keep time (chrony, ntpd)", ok=skew <= LARGEST_SKEW_S)


async def rights(connection: Connection) -> list[Finding]:
    """Of a database that is migrated."""
    lacking = [row["what"] for row in await connection.fetch(SQL["lacking"], timeout=_DEADLINE_S)]
    strange = [(row["name"], row["owner"]) for row in await connection.fetch(SQL["owners"], timeout=_DEADLINE_S)]
    said = f"{len(lacking)} lacking, as {', '.join(lacking[:MOST_NAMED])}" if lacking else "all that serving needs"
    theirs = [f"{name} is {owner}'s" for name, owner in strange[:MOST_NAMED]]
    return [
        found("rights", said, "as the owner GRANT each TO the role of MINOS_DATABASE_URL, which has to be minos_app", ok=not lacking),
        found(
            "owners", f"{len(strange)} not as they were made: {', '.join(theirs)}" if strange else "each table is its own role's",
            "as an administrator ALTER TABLE each OWNER TO the owner of `events`, or of `read` to minos_app", ok=not strange,
        ),
    ]  # fmt: skip
