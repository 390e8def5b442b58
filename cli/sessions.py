"""`minos sessions`: look at an account's sign-ins and end them."""

import argparse
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from msgspec import Struct

from cli.command import DONE, Commands, NotAccepted

if TYPE_CHECKING:
    from cli.authority import Authority


ONE_OR_ALL = "name one session, or --all"


class ShownSession(Struct, frozen=True, kw_only=True):
    session_id: UUID
    status: str
    why_ended: str | None
    started_at: datetime
    expires_at: datetime


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "sessions",
        help="list and end sessions",
        description="Look at an account's sessions and end them. USER is an id or an e-mail address.",
        epilog="example: minos sessions revoke ada@example.org --all",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="list an account's sessions, newest first")
    listing.add_argument("user", metavar="USER")
    listing.add_argument("--status", choices=("active", "ended"))
    revoke = actions.add_parser("revoke", help="end one session, or --all of them")
    revoke.add_argument("user", metavar="USER")
    revoke.add_argument("session", metavar="SESSION", nargs="?", type=UUID)
    revoke.add_argument("--all", action="store_true", help="every session of the account")
    revoke.set_defaults(surplus=ONE_OR_ALL)
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", help="print JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    from cli.authority import with_authority

    if args.action == "revoke" and (args.session is None) != args.all:
        raise NotAccepted(ONE_OR_ALL)
    return with_authority(lambda authority: _act(authority, args))


async def _act(authority: "Authority", args: argparse.Namespace) -> int:
    from cli.printing import print_rows
    from cli.user_actions import found
    from cli.wishes import wish
    from commands import end_session as end

    user_id = await found(authority, args.user)
    if args.action == "revoke":
        ports, ctx = authority.ports, authority.context()
        if args.all:
            await end.end_all_sessions(wish(end.EndAllSessions, user_id=user_id), ctx, ports)
        else:
            await end.end_session(wish(end.EndSession, user_id=user_id, session_id=args.session), ctx, ports)
    status = args.status if args.action == "list" else None
    print_rows(await _rows(authority, user_id, status), as_json=args.json, empty="no sessions")
    return DONE


async def _rows(authority: "Authority", user_id: UUID, status: str | None) -> list[ShownSession]:
    from domain.ids import UserId
    from projections import session_lists

    wanted = None if status is None else session_lists.SessionStatus(status)
    page = await session_lists.of_user(authority.models, UserId(user_id), status=wanted, limit=200)
    return [
        ShownSession(
            session_id=view.session.session_id,
            status=view.status,
            why_ended=view.why_ended,
            started_at=view.session.started_at,
            expires_at=view.session.expires_at,
        )
        for view in page.rows
    ]
