"""`minos mail`: what waits to be sent, what could not be, and having it tried again."""

import argparse
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from msgspec import Struct

from cli.command import DONE, NO, Commands, NotAccepted

if TYPE_CHECKING:
    import asyncpg

ONE_OR_ALL = "name one mail, or --all"


class ShownCount(Struct, frozen=True, kw_only=True):
    state: str
    mails: int
    oldest: datetime


class ShownMail(Struct, frozen=True, kw_only=True):
    mail_id: UUID
    letter: str
    user_id: UUID | None
    state: str
    reason: str | None
    attempts: int
    created_at: datetime
    due_at: datetime
    done_at: datetime | None


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "mail",
        help="see what mail waits or failed, and try it again",
        description="Look at the ledger of mails. It says what became of each: not to whom it went, nor what was in it.",
        epilog="example: minos mail list --state failed",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("status", help="how many mails wait, were sent, failed or were dropped")
    listing = actions.add_parser("list", help="list mails, newest first")
    listing.add_argument("--state", choices=("waiting", "sent", "failed", "dropped"))
    listing.add_argument("--limit", type=int, default=50)
    retry = actions.add_parser("retry", help="try one failed mail again, or --all of them; what came too late stays")
    retry.add_argument("mail", metavar="MAIL", nargs="?", type=UUID)
    retry.add_argument("--all", action="store_true", help="every failed mail")
    retry.set_defaults(surplus=ONE_OR_ALL)
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", help="print JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    import asyncio

    from cli import startup
    from cli.authority import database_url

    if args.action == "retry" and (args.mail is None) != args.all:
        raise NotAccepted(ONE_OR_ALL)
    return asyncio.run(_act(args, database_url(startup.settings()).reveal()))


async def _act(args: argparse.Namespace, url: str) -> int:
    from cli.database import connect

    connection = await connect(url)
    try:
        return await _asked(args, connection)
    finally:
        await connection.close(timeout=5)


async def _asked(args: argparse.Namespace, connection: "asyncpg.Connection[asyncpg.Record]") -> int:
    import msgspec

    from cli.printing import print_json, print_rows
    from workers.mailer.ledger import SQL

    match args.action:
        case "status":
            counts = await connection.fetch(SQL["counts"])
            print_rows([msgspec.convert(dict(row), type=ShownCount) for row in counts], as_json=args.json, empty="no mail yet")
        case "list":
            rows = await connection.fetch(SQL["list"], args.state, args.limit)
            print_rows([msgspec.convert(dict(row), type=ShownMail) for row in rows], as_json=args.json, empty="no such mail")
        case _:
            retried = await connection.fetch(SQL["retry"], args.mail)
            if args.json:
                print_json({"retried": len(retried)})
            else:
                print(f"to be tried again: {len(retried)}")
            return DONE if retried or args.all else NO
    return DONE
