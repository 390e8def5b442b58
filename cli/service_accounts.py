"""`minos service-accounts`: machines' own identities."""

import argparse
from typing import TYPE_CHECKING

from cli.command import DONE, Commands, NotAccepted, at_least

if TYPE_CHECKING:
    from cli.authority import Authority
    from commands.client_secrets import ClientSecret
    from commands.read_service_accounts import ServiceAccountView


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "service-accounts",
        help="list, create, change and end service accounts",
        description="A service account gets tokens by its own credentials, for its audiences. A secret is shown once.",
        epilog="example: minos service-accounts create shop --signals shop",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="list service accounts")
    create = actions.add_parser("create", help="make one; prints its id and its secret")
    create.add_argument("name")
    _add_rights(create)
    create.add_argument("--secret-ttl", type=at_least(3_600), metavar="SECONDS", help="the secret ends after that (never)")
    change = actions.add_parser("set", help="replace its audiences or its permissions, as far as they are given; --signals adds to them")
    change.add_argument("account", metavar="ID|NAME")
    _add_rights(change)
    rotate = actions.add_parser("rotate", help="give it its next secret; prints it")
    rotate.add_argument("account", metavar="ID|NAME")
    rotate.add_argument("--overlap", type=at_least(0), default=86_400, metavar="SECONDS", help="the one before goes on (86400)")
    for name, text in (
        ("disable", "let its tokens die and its secrets open nothing"),
        ("enable", "let it go on"),
        ("revoke", "let every token it was given die; secrets go on"),
        ("delete", "end it, for good"),
    ):
        actions.add_parser(name, help=text).add_argument("account", metavar="ID|NAME")
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _add_rights(action: argparse.ArgumentParser) -> None:
    action.add_argument("--audience", action="append", help="it may ask for tokens for; repeatable")
    action.add_argument("--permission", action="append", help="it has; repeatable")
    action.add_argument(
        "--signals",
        action="append",
        metavar="AUDIENCE",
        help="it verifies tokens for this audience (registered where it is not): it may read what takes them back; repeatable",
    )
    action.add_argument("--ttl", type=at_least(30), metavar="SECONDS", help="its access tokens live at most (300)")


def run(args: argparse.Namespace) -> int:
    from cli.authority import with_authority

    return with_authority(lambda authority: _act(authority, args))


async def _act(authority: "Authority", args: argparse.Namespace) -> int:
    from cli.printing import print_rows
    from cli.service_account_actions import every, one, shown

    if args.action == "list":
        print_rows([shown(account) for account in await every(authority)], as_json=args.json, empty="no service accounts")
        return DONE
    if args.action == "create":
        print_rows([await _created(authority, args)], as_json=args.json)
        return DONE
    account = await one(authority, args.account)
    secret = await _changed(authority, args, account)
    if args.action == "delete":
        print_rows([], as_json=args.json, empty=f"{account.client_id} is deleted")
    else:
        print_rows([secret or shown(await one(authority, account.client_id))], as_json=args.json)
    return DONE


async def _created(authority: "Authority", args: argparse.Namespace) -> "ClientSecret":
    from cli.service_account_actions import rights
    from cli.wishes import wish
    from commands.service_accounts import CreateServiceAccount, create_service_account

    if not (args.audience or args.signals):
        raise NotAccepted("say what it is for: --audience, or --signals for a service that verifies tokens")
    command = wish(CreateServiceAccount, name=args.name, secret_ttl=args.secret_ttl, **await rights(authority, args))
    return (await create_service_account(command, authority.context(), authority.ports)).result


async def _changed(authority: "Authority", args: argparse.Namespace, account: "ServiceAccountView") -> "ClientSecret | None":
    """Give the secret, where there is a new one."""
    from cli.service_account_actions import rights
    from cli.wishes import wish
    from commands import client_credentials, service_accounts

    ports, ctx, client_id = authority.ports, authority.context(), account.client_id
    match args.action:
        case "set":
            given = await rights(authority, args, account)
            await service_accounts.change_service_account(
                wish(service_accounts.ChangeServiceAccount, client_id=client_id, **given), ctx, ports
            )
        case "rotate":
            command = wish(client_credentials.RotateClientSecret, client_id=client_id, overlap=args.overlap)
            return (await client_credentials.rotate_client_secret(command, ctx, ports)).result
        case "disable":
            await service_accounts.disable_service_account(wish(service_accounts.DisableServiceAccount, client_id=client_id), ctx, ports)
        case "enable":
            await service_accounts.enable_service_account(wish(service_accounts.EnableServiceAccount, client_id=client_id), ctx, ports)
        case "revoke":
            await client_credentials.revoke_client_tokens(client_id, ctx, ports)
        case _:
            await service_accounts.delete_service_account(wish(service_accounts.DeleteServiceAccount, client_id=client_id), ctx, ports)
    return None
