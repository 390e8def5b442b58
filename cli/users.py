"""`minos users`: look at accounts and act on them, with access to the database as the proof."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from cli.command import DONE, NO, Commands, at_least

if TYPE_CHECKING:
    from cli.authority import Authority


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "users",
        help="list accounts, suspend, reinstate, delete, restore, erase, import, grant and revoke roles",
        description="Look at accounts and act on them. USER is an id, an e-mail address or a username.",
        epilog="example: minos users grant ada@example.org admin",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="list accounts, newest first")
    listing.add_argument("--role", help="only holders of this role")
    listing.add_argument("--status", choices=("active", "suspended", "deleted", "gone"), help="all but deleted ones where none is given")
    listing.add_argument("--limit", type=at_least(1), default=50, help="at most so many (50)")
    _about(actions.add_parser("show", help="show one account"))
    suspend = _about(actions.add_parser("suspend", help="end sessions and API keys, and let the account do nothing"))
    suspend.add_argument("--reason", choices=("administrative", "compromised", "abuse", "left"), default="administrative")
    _about(actions.add_parser("reinstate", help="let a suspended account act again"))
    delete = _about(actions.add_parser("delete", help="end sessions and API keys for good, and let nobody sign in; restorable for a while"))
    delete.add_argument("--reason", choices=("administrative", "left", "abuse", "duplicate"), default="administrative")
    _about(actions.add_parser("restore", help="bring a deleted account back as it was"))
    erase = _about(actions.add_parser("erase", help="have an account erased for good, after MINOS_ERASURE_WAIT; until then it can be kept"))
    erase.add_argument("--asked-by", choices=("administrator", "law"), default="administrator", help="whose wish it is (administrator)")
    erase.add_argument("--dry-run", action="store_true", help="say what would go, and change nothing")
    _about(actions.add_parser("keep", help="withdraw an erasure that was asked for so"))
    left = _about(actions.add_parser("erased", help="look everywhere for what is left of somebody; 1 where anything is"))
    left.description = (
        "Looks for keys and rows, and tries to open every sealed field there ever was. USER is an id: nothing else leads there."
    )
    for name, text in (("grant", "give a role"), ("revoke", "take a role away")):
        _about(actions.add_parser(name, help=text)).add_argument("role")
    setting = _about(actions.add_parser("set", help="change what an account says of its person besides the name"))
    setting.add_argument("attributes", nargs="+", metavar="NAME=VALUE", help="a text or JSON; NAME= takes it away")
    _about(actions.add_parser("history", help="what happened to an account, newest first"))
    importing = actions.add_parser("import", help="make accounts of another system's ours, from a file of JSON lines")
    importing.add_argument("file", metavar="FILE", type=Path, help="a line each: {email, password_hash, username?, name?, email_verified?}")
    importing.add_argument("--dry-run", action="store_true", help="say what would become of each line, and change nothing")
    importing.add_argument("--report", metavar="FILE", type=Path, help="write a JSON line for each that was refused: line and reason")
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _about(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("user", metavar="USER")
    return parser


def run(args: argparse.Namespace) -> int:
    from cli.authority import with_authority

    if args.action == "import":
        from cli.import_users import run_import

        return with_authority(lambda authority: run_import(authority, args))
    return with_authority(lambda authority: _act(authority, args))


async def _act(authority: "Authority", args: argparse.Namespace) -> int:
    from cli import user_actions as act
    from cli.printing import print_rows

    if args.action == "list":
        rows = await act.listed(authority, role=args.role, status=args.status, limit=args.limit)
        print_rows(rows, as_json=args.json, empty="no accounts")
        return DONE
    if args.action == "erased":
        left = await act.left_of(authority, args.user)
        print_rows([left], as_json=args.json)
        if left.is_nothing and not await act.is_known(authority, left.user_id):
            print("minos: the log has nobody of this id: is it the right one?", file=sys.stderr)
        return DONE if left.is_nothing else NO
    user_id = await act.found(authority, args.user)
    match args.action:
        case "erase" if args.dry_run:
            from api.erasure_preview import preview

            print_rows([await preview(user_id, authority.models, authority.ports)], as_json=args.json)
        case "show":
            print_rows([await act.shown(authority, user_id)], as_json=args.json)
        case "history":
            print_rows(await act.history(authority, user_id), as_json=args.json, empty="no history yet")
        case _:
            await _change(authority, args, user_id)
            print_rows([await act.shown(authority, user_id)], as_json=args.json)
    return DONE


async def _change(authority: "Authority", args: argparse.Namespace, user_id: UUID) -> None:
    from cli import user_actions as act
    from cli.wishes import wish
    from commands import delete_user, erase_user, grant_role, suspend_user
    from domain.ids import UserId

    ports, ctx = authority.ports, authority.context()
    match args.action:
        case "suspend":
            await suspend_user.suspend_user(wish(suspend_user.SuspendUser, user_id=user_id, reason=args.reason), ctx, ports)
        case "reinstate":
            await suspend_user.reinstate_user(wish(suspend_user.ReinstateUser, user_id=user_id), ctx, ports)
        case "delete":
            await delete_user.delete_user(wish(delete_user.DeleteUser, user_id=user_id, reason=args.reason), ctx, ports)
        case "restore":
            await delete_user.restore_user(wish(delete_user.RestoreUser, user_id=user_id), ctx, ports)
        case "erase":
            await erase_user.erase_user(wish(erase_user.EraseUser, user_id=user_id, asked_by=args.asked_by), ctx, ports)
        case "keep":
            await erase_user.keep_user(UserId(user_id), ctx, ports)
        case "set":
            await act.set_attributes(authority, UserId(user_id), args.attributes)
        case "grant":
            await grant_role.grant_role(wish(grant_role.GrantRole, user_id=user_id, role=args.role), ctx, ports)
        case _:
            await grant_role.revoke_role(wish(grant_role.RevokeRole, user_id=user_id, role=args.role), ctx, ports)
