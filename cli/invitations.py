"""`minos invitations`: invite people by mail, once more, or not any more."""

import argparse
from typing import TYPE_CHECKING
from uuid import UUID

from cli.command import DONE, Commands, at_least

if TYPE_CHECKING:
    from cli.authority import Authority


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "invitations",
        help="invite people by mail, list and revoke invitations",
        description="Who opens the link in the mail has an account with these roles. MINOS_REGISTRATION=invite lets nobody else register.",
        epilog="example: minos invitations make ada@example.org --role editor",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="list invitations, newest first")
    listing.add_argument("--status", choices=("open", "accepted", "revoked"))
    listing.add_argument("--limit", type=at_least(1), default=50, help="at most so many (50)")
    make = actions.add_parser("make", help="invite somebody")
    make.add_argument("email", metavar="ADDRESS")
    make.add_argument("--role", action="append", default=[], help="a role besides the one everybody has; may be repeated")
    make.add_argument("--name", help="what they are called")
    for name, text in (("resend", "mail an invitation once more, with a new link"), ("revoke", "take an invitation back")):
        actions.add_parser(name, help=text).add_argument("invitation", metavar="ID", type=UUID)
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", help="print JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    from cli.authority import with_authority

    return with_authority(lambda authority: _act(authority, args))


async def _act(authority: "Authority", args: argparse.Namespace) -> int:
    from cli.invitation_actions import listed
    from cli.printing import print_rows
    from cli.wishes import wish
    from commands import invitations as use
    from domain.ids import InvitationId

    ports, ctx = authority.ports, authority.context()
    match args.action:
        case "list":
            print_rows(await listed(authority, status=args.status, limit=args.limit), as_json=args.json, empty="no invitations")
        case "make":
            invited = await use.invite(wish(use.Invite, email=args.email, name=args.name, roles=args.role), ctx, ports)
            print_rows([invited.result], as_json=args.json)
        case "resend":
            await use.invite_again(InvitationId(args.invitation), ctx, ports)
        case _:
            await use.revoke_invitation(InvitationId(args.invitation), ctx, ports)
    return DONE
