"""`minos admin`: the first administrator, or one more for whoever holds the database."""

import argparse
import sys
from getpass import getpass
from typing import TYPE_CHECKING

from cli.command import COULD_NOT, DONE, Commands

if TYPE_CHECKING:
    from cli.authority import Authority


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "admin",
        help="make the first administrator",
        description="Make the first administrator, with access to the database as the proof; or a new one-time bootstrap code.",
        epilog="example: minos admin create --email ada@example.org",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    create = actions.add_parser("create", help="make an administrator; refused once one exists, unless --force")
    create.add_argument("--email", required=True)
    create.add_argument("--password-stdin", action="store_true", help="read the password from standard input instead of asking")
    create.add_argument("--code", help="the one-time bootstrap code, where the proof is to be the code")
    create.add_argument("--force", action="store_true", help="make one more although there is one already")
    create.add_argument("--json", action="store_true", help="print JSON")
    code = actions.add_parser("code", help="make a new one-time bootstrap code; the one before is void")
    code.add_argument("--json", action="store_true", help="print JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    from cli.authority import with_authority

    if args.action == "code":
        return with_authority(lambda authority: _code(authority, as_json=args.json))
    if not args.password_stdin and not sys.stdin.isatty():
        print("minos: there is no terminal to ask for a password on; give it with --password-stdin", file=sys.stderr)
        return COULD_NOT
    password = sys.stdin.readline().rstrip("\n") if args.password_stdin else _asked()
    if password is None:
        print("minos: the two passwords differ", file=sys.stderr)
        return COULD_NOT

    async def create(authority: "Authority") -> int:
        return await _create(authority, args, password)

    return with_authority(create)


def _asked() -> str | None:
    password = getpass("password: ")
    return password if getpass("again: ") == password else None


async def _create(authority: "Authority", args: argparse.Namespace, password: str) -> int:
    from commands.bootstrap import BootstrapAdministrator, CreateAdministrator, bootstrap, create_administrator

    if args.code:
        wish = BootstrapAdministrator(code=args.code, email=args.email, password=password)
        done = await bootstrap(wish, authority.context(), authority.ports)
    else:
        made = CreateAdministrator(email=args.email, password=password, force=args.force)
        done = await create_administrator(made, authority.context(), authority.ports)
    from cli.printing import print_json

    if args.json:
        print_json({"user_id": str(done.result.user_id)})
    else:
        print(f"administrator made: {done.result.user_id}")
    return DONE


async def _code(authority: "Authority", *, as_json: bool) -> int:
    from cli.printing import print_json
    from commands.bootstrap import is_bootstrapped
    from domain.errors import BootstrapClosed

    if await is_bootstrapped(authority.ports):
        raise BootstrapClosed
    code = await authority.ports.bootstrap.issue()
    if as_json:
        print_json({"code": code, "expires_in": 3_600})
    else:
        print(f"bootstrap code: {code}")
    return DONE
