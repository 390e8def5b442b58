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
    create.add_argument(
        "--password-stdin",
        action="store_true",
        help="read the password (with --code the code first, on a line of its own) from standard input instead of asking",
    )
    create.add_argument("--code", action="store_true", help="have the one-time bootstrap code as the proof; it is asked for first")
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
    read = _line if args.password_stdin else getpass
    code = read("code: ") if args.code else None
    password = read("password: ")
    if not args.password_stdin and read("again: ") != password:
        print("minos: the two passwords differ", file=sys.stderr)
        return COULD_NOT

    async def create(authority: "Authority") -> int:
        return await _create(authority, args, code, password)

    return with_authority(create)


def _line(_prompt: str) -> str:
    """Code and password come this way or are typed: arguments are for every process on the machine to see."""
    return sys.stdin.readline().rstrip("\n")


async def _create(authority: "Authority", args: argparse.Namespace, code: str | None, password: str) -> int:
    from commands.bootstrap import BootstrapAdministrator, CreateAdministrator, bootstrap, create_administrator

    if code is not None:
        wish = BootstrapAdministrator(code=code, email=args.email, password=password)
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
