"""`minos service-token`: tokens of weeks for services that cannot ask for one of minutes."""

import argparse
import re
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from cli.command import DONE, NO, Commands

if TYPE_CHECKING:
    from cli.authority import Authority

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class ShownToken(Struct, frozen=True, kw_only=True):
    token_id: str
    client_id: str
    audience: str | None
    expires_at: datetime


class Checked(Struct, frozen=True, kw_only=True):
    """What a token says, and whether it is good at this moment."""

    active: bool
    token_id: str
    client_id: str
    audience: str
    scope: str
    expires_at: datetime


def duration(text: str) -> int:
    """Give the seconds of `90d`, `12h`, `30m` or `3600s`. Raises ArgumentTypeError."""
    found = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"must be a whole number and s, m, h or d, as 90d or 12h, not {text!r}")
    return int(found[1]) * _SECONDS[found[2]]


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "service-token",
        help="issue, verify, list and revoke service tokens",
        description="A service token lives for 90 days at most, is signed by the authority alone, and can be revoked. It is printed once.",
        epilog="example: minos service-token issue reporter --ttl 90d",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    issue = actions.add_parser("issue", help="make one for a service account; prints the token and nothing else")
    issue.add_argument("account", metavar="NAME|ID")
    issue.add_argument("--ttl", type=duration, default="30d", metavar="DURATION", help="as 90d or 12h; 90d at most (30d)")
    issue.add_argument("--audience", help="it is for (the only one the service account has)")
    actions.add_parser("verify", help="say what a token is worth now; exits 1 where it is worth nothing").add_argument("token")
    listing = actions.add_parser("list", help="list those that are good, the first to end first")
    listing.add_argument("account", metavar="NAME|ID", nargs="?")
    actions.add_parser("revoke", help="let one be worth nothing").add_argument("token_id")
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", help="print JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    from cli.authority import with_authority

    acts = {"issue": _issue, "verify": _verify, "list": _list, "revoke": _revoke}
    return with_authority(lambda authority: acts[args.action](authority, args))


async def _issue(authority: "Authority", args: argparse.Namespace) -> int:
    from cli.printing import print_json
    from cli.service_account_actions import one
    from cli.wishes import wish
    from commands.service_tokens import IssueServiceToken, issue_service_token

    account = await one(authority, args.account)
    command = wish(IssueServiceToken, client_id=account.client_id, ttl=args.ttl, audience=args.audience)
    issued = (await issue_service_token(command, authority.context(), authority.ports)).result
    print_json(issued) if args.json else print(issued.token)
    return DONE


async def _verify(authority: "Authority", args: argparse.Namespace) -> int:
    from datetime import UTC

    from cli.printing import print_rows
    from commands.machines import identify_machine
    from domain.errors import InvalidToken

    try:
        claims = await authority.opened.tokens.verify(args.token, audiences=None)
    except InvalidToken:
        print_rows([], as_json=args.json, empty="this is no token of ours, or it has ended")
        return NO
    try:
        await identify_machine(claims, authority.ports)
        active = True
    except InvalidToken:
        active = False
    checked = Checked(
        active=active,
        token_id=claims.jti,
        client_id=claims.client_id,
        audience=claims.aud,
        scope=claims.scope,
        expires_at=datetime.fromtimestamp(claims.exp, UTC),
    )
    print_rows([checked], as_json=args.json)
    return DONE if active else NO


async def _list(authority: "Authority", args: argparse.Namespace) -> int:
    from cli.printing import print_rows
    from cli.service_account_actions import one
    from projections import service_tokens

    client_id = None if args.account is None else (await one(authority, args.account)).client_id
    found = await service_tokens.page(authority.models, client_id=client_id)
    rows = [
        ShownToken(token_id=str(row.token_id), client_id=row.client_id, audience=row.audience, expires_at=row.expires_at)
        for row in found.rows
    ]
    print_rows(rows, as_json=args.json, empty="no service tokens")
    return DONE


async def _revoke(authority: "Authority", args: argparse.Namespace) -> int:
    from cli.printing import print_rows
    from cli.wishes import wish
    from commands.service_tokens import RevokeServiceToken, revoke_service_token

    await revoke_service_token(wish(RevokeServiceToken, token_id=args.token_id), authority.context(), authority.ports)
    print_rows([], as_json=args.json, empty=f"{args.token_id} is revoked")
    return DONE
