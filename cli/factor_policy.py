"""`minos factor-policy`: of whom a second factor is demanded."""

import argparse
from typing import TYPE_CHECKING

from msgspec import Struct

from cli.command import DONE, Commands

if TYPE_CHECKING:
    from cli.authority import Authority


class Demand(Struct, frozen=True, kw_only=True):
    of: str
    """`role` or `audience`."""
    name: str
    requirement: str


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "factor-policy",
        help="show and set of whom a second factor is demanded",
        description=(
            "A factor can be demanded of whoever holds a role, and of whoever wants a token for an audience: they show one, or enrol one "
            "while signing in. Of several demands the most counts. Whoever holds the database may take any demand back."
        ),
        epilog="example: minos factor-policy set --role admin phishing_resistant",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("show", help="list what is demanded")
    change = actions.add_parser("set", help="demand something, or with `none` nothing any more")
    change.add_argument("requirement", choices=("none", "any", "phishing_resistant"), help="what has to be shown besides a password")
    of = change.add_mutually_exclusive_group(required=True)
    of.add_argument("--role", help="of whoever holds this role")
    of.add_argument("--audience", help="of whoever wants a token for this audience")
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", help="print JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    from cli.authority import with_authority

    return with_authority(lambda authority: _act(authority, args))


async def _act(authority: "Authority", args: argparse.Namespace) -> int:
    from cli.printing import print_rows
    from commands.factor_policy import read_factor_policy

    if args.action == "set":
        await _change(authority, args)
    policy = await read_factor_policy(authority.ports)
    of_roles = [Demand(of="role", name=name, requirement=what) for name, what in policy.roles.items()]
    at_audiences = [Demand(of="audience", name=name, requirement=what) for name, what in policy.audiences.items()]
    print_rows([*of_roles, *at_audiences], as_json=args.json, empty="no second factor is demanded of anybody")
    return DONE


async def _change(authority: "Authority", args: argparse.Namespace) -> None:
    from cli.wishes import wish
    from commands import factor_policy as use

    ports, ctx = authority.ports, authority.context()
    if args.role is None:
        await use.ask_at_audience(wish(use.AskAtAudience, audience=args.audience, requirement=args.requirement), ctx, ports)
    else:
        await use.ask_of_role(wish(use.AskOfRole, role=args.role, requirement=args.requirement), ctx, ports)
