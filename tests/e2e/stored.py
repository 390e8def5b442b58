"""What an authority keeps in its database, looked at from outside."""

import asyncio

import asyncpg

from adapters.postgres_roles import kept_passwords
from bench.running import Running


async def everything_stored(running: Running) -> str:
    """Give all rows of all tables as text, bytes in hexadecimal, as a thief of a backup reads them."""
    passwords = kept_passwords(running.data / "postgres" / "passwords.json")
    url = running.database_url.replace("minos_app", "postgres", 1).replace(passwords.app, passwords.superuser, 1)
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        assert len(tables) > 15
        stored = [await connection.fetch(f"SELECT t::text FROM {table[0]} t") for table in tables]
        return "\n".join(row[0] for rows in stored for row in rows)
    finally:
        await connection.close()


async def sequenced(running: Running) -> None:
    connection = await asyncpg.connect(running.database_url)
    try:
        async with asyncio.timeout(10):
            while not await connection.fetchval(
                "SELECT (SELECT size FROM log_head) = (SELECT count(*) FROM events)"
                " AND NOT EXISTS (SELECT FROM projection_state WHERE status <> 'retired' AND position < (SELECT size FROM log_head))"
            ):
                await asyncio.sleep(0.02)
    finally:
        await connection.close()


async def rows(running: Running) -> dict[str, int]:
    connection = await asyncpg.connect(running.database_url)
    try:
        names = ("events", "heads", "claim_index", "command_results", "sign_in_attempts", "sign_in_guard", "vault.subject_keys")
        return {name: await connection.fetchval(f"SELECT count(*) FROM {name}") for name in names}
    finally:
        await connection.close()
