"""`minos audiences`: the services that tokens may be issued for."""

import argparse
from typing import TYPE_CHECKING

from msgspec import Struct

from cli.command import DONE, Commands

if TYPE_CHECKING:
    from cli.authority import Authority
    from projections.audiences import AudienceRow


class ShownAudience(Struct, frozen=True, kw_only=True):
    audience: str
    permissions: tuple[str, ...]
    principals: tuple[str, ...]
    algorithm: str | None
    access_token_ttl: int | None
    roles: tuple[str, ...]
    clients: tuple[str, ...]
    retired: bool


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "audiences",
        help="list, define, change and retire audiences",
        description="An audience is a service that tokens may be issued for. Those of MINOS_AUDIENCES are defined at start-up.",
        epilog="example: minos audiences define tickets tickets.read tickets.write --ttl 120 --algorithm RS256",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="list audiences")
    for name, text in (("define", "register one"), ("set", "replace all its rules")):
        _add_rules(actions.add_parser(name, help=text))
    actions.add_parser("retire", help="issue no token for it any more, for good").add_argument("audience")
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _add_rules(action: argparse.ArgumentParser) -> None:
    action.add_argument("audience")
    action.add_argument("permissions", nargs="*", metavar="PERMISSION", help="its catalogue; none: not known yet")
    action.add_argument("--algorithm", choices=("ES256", "RS256", "PS256", "EdDSA"), help="that signs its tokens (MINOS_SIGNING_ALGORITHM)")
    action.add_argument("--ttl", type=int, metavar="SECONDS", help="life of its access tokens (MINOS_ACCESS_TOKEN_TTL)")
    action.add_argument("--for", dest="principals", choices=("user", "service"), action="append", help="who may ask; repeatable (both)")
    action.add_argument("--role", action="append", default=[], help="a person needs one of these; repeatable (any)")
    action.add_argument("--client", action="append", default=[], help="a service account has to be one of these; repeatable (any)")


def run(args: argparse.Namespace) -> int:
    from cli.authority import with_authority

    return with_authority(lambda authority: _act(authority, args))


async def _act(authority: "Authority", args: argparse.Namespace) -> int:
    from cli.printing import print_rows
    from domain.errors import NoSuchAudience
    from domain.ids import AudienceName
    from projections import audiences

    if args.action == "list":
        found = await audiences.page(authority.models, limit=1_000)
        print_rows([_shown(row) for row in found.rows], as_json=args.json, empty="no audiences besides minos itself")
        return DONE
    await _change(authority, args)
    one = await audiences.get(authority.models, AudienceName(args.audience))
    if one is None:
        raise NoSuchAudience
    print_rows([_shown(one.row)], as_json=args.json)
    return DONE


async def _change(authority: "Authority", args: argparse.Namespace) -> None:
    from cli.wishes import wish
    from commands import audiences as use

    ports, ctx = authority.ports, authority.context()
    match args.action:
        case "define":
            await use.define_audience(wish(use.DefineAudience, name=args.audience, **_rules(args)), ctx, ports)
        case "set":
            await use.change_audience(wish(use.ChangeAudience, audience=args.audience, rules=_rules(args)), ctx, ports)
        case _:
            await use.retire_audience(wish(use.RetireAudience, audience=args.audience), ctx, ports)


def _rules(args: argparse.Namespace) -> dict[str, object]:
    given = {
        "permissions": args.permissions,
        "algorithm": args.algorithm,
        "access_token_ttl": args.ttl,
        "principals": args.principals,
        "roles": args.role,
        "clients": args.client,
    }
    return {name: value for name, value in given.items() if value is not None}


def _shown(row: "AudienceRow") -> ShownAudience:
    return ShownAudience(
        audience=row.audience,
        permissions=row.permissions,
        principals=row.principals,
        algorithm=row.algorithm,
        access_token_ttl=row.access_token_ttl,
        roles=row.roles,
        clients=row.clients,
        retired=row.retired_at is not None,
    )
