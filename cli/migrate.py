"""`minos migrate`: bring the database's schema to what this release needs."""

import argparse
import asyncio
import sys

import msgspec

from adapters.settings import Settings
from cli import startup
from cli.command import COULD_NOT, DONE, NO, Commands
from cli.database import connect


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "migrate",
        help="bring the database's schema up to date",
        description=(
            "Apply the migrations that are missing, as the owner role (MINOS_MIGRATION_DATABASE_URL), and make what serving needs, as the "
            "serving role (MINOS_DATABASE_URL): read models, built-in roles, the first signing keys. With --check, only say."
        ),
        epilog="example: minos migrate --check",
    )
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when something is missing")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    settings = startup.settings()
    url = owner_url(settings)
    if url is None:
        print("minos: set MINOS_MIGRATION_DATABASE_URL; an embedded database is migrated by `minos up`", file=sys.stderr)
        return COULD_NOT
    code = asyncio.run(_migrate(settings, url, check=args.check, as_json=args.json))
    if not args.check:
        asyncio.run(_furnish(settings))
    return code


async def _furnish(settings: Settings) -> None:
    """Without the serving role's URL or the master key only the schema is brought up to date; `minos up` makes the rest."""
    from adapters import master_key
    from cli.first_start import furnish

    try:
        master_key.load(settings)
    except master_key.NoMasterKey:
        return
    if settings.database_url is not None:
        await furnish(settings, with_code=False)


def owner_url(settings: Settings) -> str | None:
    """Give the URL of the role that owns the schema; the serving role's when no other is set."""
    secret = settings.migration_database_url or settings.database_url
    return None if secret is None else secret.reveal()


async def _migrate(settings: Settings, url: str, *, check: bool, as_json: bool) -> int:
    from adapters.subject_keks import say_backup_days
    from migrations import runner

    connection = await connect(url)
    try:
        applied = () if check else await runner.migrate(connection)
        if not check:
            await say_backup_days(connection, settings.backup_days)
        status = await runner.status(connection)
    finally:
        await connection.close(timeout=5)
    if as_json:
        print(msgspec.json.encode({"applied_now": applied, "applied": status.applied, "pending": status.pending}).decode())
    else:
        print(f"applied now: {len(applied)}; in place: {len(status.applied)}; missing: {', '.join(map(str, status.pending)) or 'none'}")
    return DONE if status.ready else NO
