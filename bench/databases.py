"""Databases of their own on a server of ours."""

import asyncpg

from adapters.embedded_postgres import PostgresServer
from migrations import runner


async def migrated(postgres: PostgresServer, name: str) -> tuple[str, str]:
    """Make a migrated database; give its URLs for the serving role and the owner."""
    await fresh(postgres, name, owner="minos_owner")
    serving, owner = (url.replace("/minos?", f"/{name}?") for url in (postgres.app_url, postgres.owner_url))
    await migrate(owner)
    return serving, owner


async def migrate(owner_url: str) -> None:
    connection = await asyncpg.connect(owner_url)
    try:
        await runner.migrate(connection)
    finally:
        await connection.close()


async def fresh(postgres: PostgresServer, name: str, *, owner: str) -> None:
    """Make an empty database in place of one that may be there. What was written before is on disk by then."""
    connection = await asyncpg.connect(postgres.superuser_url)
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await connection.execute(f"CREATE DATABASE {name} OWNER {owner}")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()
