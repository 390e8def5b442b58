"""What must be there before the API and the workers may start: the schema, the first keys, a way to the first administrator."""

import asyncpg

from migrations import runner


async def migrate(owner_url: str) -> None:
    """Bring the schema to this release. Quick when there is nothing to do. Raises MigrationRefused."""
    connection = await asyncpg.connect(owner_url, timeout=10)
    try:
        await runner.migrate(connection)
    finally:
        await connection.close(timeout=5)
