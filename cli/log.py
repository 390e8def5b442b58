"""`minos log`: where the log stands, and going on after a restore."""

import argparse
import asyncio
import sys

from msgspec import Struct

from cli.command import COULD_NOT, DONE, Commands

_NOT_ALLOWED = "42501"
"""insufficient_privilege (PostgreSQL, appendix A)."""


class ShownLog(Struct, frozen=True, kw_only=True):
    size: int
    epoch: int


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "log",
        help="show where the log stands; open a new epoch after a restore",
        description=(
            "A position means something only together with the log's epoch. After a restore from a backup, or when NATS knows more than "
            "the database, nothing goes on until an operator opens a new epoch: readers outside then start over. It is opened as the owner "
            "role (MINOS_MIGRATION_DATABASE_URL)."
        ),
        epilog="example: minos log open-epoch",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("status", help="the last position and the epoch")
    actions.add_parser("open-epoch", help="number what has no position, and begin a new epoch; writers wait meanwhile")
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", help="print JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    from cli import startup
    from cli.authority import database_url, owner_url

    settings = startup.settings()
    chosen = owner_url(settings) if args.action == "open-epoch" else database_url(settings)
    return asyncio.run(_act(args, chosen.reveal()))


async def _act(args: argparse.Namespace, url: str) -> int:
    from adapters.log_reader import LogReader
    from adapters.postgres import StatementRefused
    from cli.printing import print_rows
    from workers.sequencer import resequence

    if args.action == "open-epoch":
        try:
            await resequence(url)
        except StatementRefused as refused:
            if refused.sqlstate != _NOT_ALLOWED:
                raise
            print("minos: only the role that owns the schema opens an epoch; set MINOS_MIGRATION_DATABASE_URL", file=sys.stderr)
            return COULD_NOT
    reader = LogReader(url)
    try:
        now = await reader.size()
    finally:
        await reader.close()
    print_rows([ShownLog(size=now.size, epoch=now.epoch)], as_json=args.json)
    return DONE
