"""`minos migrate`: bring the database's schema to what this release needs."""

import argparse
import asyncio

import msgspec

from adapters.settings import Settings
from cli import startup
from cli.command import COULD_NOT, DONE, NO, Commands


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "migrate",
        help="bring the database's schema up to date",
        description="Apply the migrations that are missing, as the owner role (MINOS_MIGRATION_DATABASE_URL). With --check, only say.",
        epilog="example: minos migrate --check",
    )
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when something is missing")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    url = owner_url(startup.settings())
    if url is None:
        print("minos: set MINOS_MIGRATION_DATABASE_URL; an embedded database is migrated by `minos up`")
        return COULD_NOT
    return asyncio.run(_migrate(url, check=args.check, as_json=args.json))


def owner_url(settings: Settings) -> str | None:
    """Give the URL of the role that owns the schema; the serving role's when no other is set."""
    secret = settings.migration_database_url or settings.database_url
    return None if secret is None else secret.reveal()


async def _migrate(url: str, *, check: bool, as_json: bool) -> int:
    import asyncpg

    from migrations import runner

    connection = await asyncpg.connect(url, timeout=10)
    try:
        applied = () if check else await runner.migrate(connection)
        status = await runner.status(connection)
    finally:
        await connection.close(timeout=5)
    if as_json:
        print(msgspec.json.encode({"applied_now": applied, "applied": status.applied, "pending": status.pending}).decode())
    else:
        print(f"applied now: {len(applied)}; in place: {len(status.applied)}; missing: {', '.join(map(str, status.pending)) or 'none'}")
    return DONE if status.ready else NO
