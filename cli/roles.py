"""`minos roles`: define roles, change what they give, retire them."""

import argparse
from typing import TYPE_CHECKING

from cli.command import DONE, Commands

if TYPE_CHECKING:
    from cli.authority import Authority


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "roles",
        help="list, define, change and retire roles",
        description="Roles are names for permissions. A permission is dotted segments; `*` stands for one, at the end for any number.",
        epilog="example: minos roles define support minos.users.read 'tickets.*'",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="list roles")
    for name, text in (("define", "make a role"), ("set", "replace what a role gives")):
        action = actions.add_parser(name, help=text)
        action.add_argument("role")
        action.add_argument("permissions", nargs="*", metavar="PERMISSION")
    actions.add_parser("retire", help="let a role give nothing any more, for good").add_argument("role")
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", help="print JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    from cli.authority import with_authority

    return with_authority(lambda authority: _act(authority, args))


async def _act(authority: "Authority", args: argparse.Namespace) -> int:
    from cli.printing import print_rows
    from cli.role_actions import one, rows

    if args.action == "list":
        print_rows(await rows(authority), as_json=args.json, empty="no roles")
        return DONE
    await _change(authority, args)
    print_rows([await one(authority, args.role)], as_json=args.json)
    return DONE


async def _change(authority: "Authority", args: argparse.Namespace) -> None:
    from cli.wishes import wish
    from commands import define_role as use

    ports, ctx = authority.ports, authority.context()
    match args.action:
        case "define":
            await use.define_role(wish(use.DefineRole, name=args.role, permissions=args.permissions), ctx, ports)
        case "set":
            change = wish(use.ChangeRolePermissions, role=args.role, permissions=args.permissions)
            await use.change_role_permissions(change, ctx, ports)
        case _:
            await use.retire_role(wish(use.RetireRole, role=args.role), ctx, ports)
