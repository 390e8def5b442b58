"""`minos api-keys`: keys of service accounts, and the end of any."""

import argparse
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from msgspec import Struct

from cli.command import DONE, Commands, at_least

if TYPE_CHECKING:
    from cli.authority import Authority
    from commands.read_api_keys import ApiKeyView


class ShownKey(Struct, frozen=True, kw_only=True):
    key_id: str
    name: str | None
    owner: str
    audience: str
    permissions: tuple[str, ...]
    expires_at: datetime
    expires_soon: bool
    last_used_at: datetime | None


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "api-keys",
        help="list, create and revoke API keys",
        description="Keys are made here for service accounts; people make their own. A key is shown once.",
        epilog="example: minos api-keys create reporter nightly --permission tickets.read --audience tickets",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="list keys that open something, newest first")
    listing.add_argument("--soon", type=at_least(1, at_most=36_500), metavar="DAYS", help="only those that end within so many days")
    create = actions.add_parser("create", help="make one for a service account; prints it")
    create.add_argument("account", metavar="ID|NAME")
    create.add_argument("name")
    create.add_argument("--permission", action="append", default=[], help="it gives; repeatable")
    create.add_argument("--audience", default="minos", help="it is for (minos)")
    create.add_argument("--ttl", type=at_least(60), metavar="SECONDS", help="it ends after that (MINOS_API_KEY_TTL)")
    actions.add_parser("revoke", help="let one open nothing, for good").add_argument("key_id", type=UUID)
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", help="print JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    from cli.authority import with_authority

    acts = {"list": _list, "create": _create, "revoke": _revoke}
    return with_authority(lambda authority: acts[args.action](authority, args))


async def _list(authority: "Authority", args: argparse.Namespace) -> int:
    from datetime import UTC, timedelta

    from cli.printing import print_rows
    from commands.read_api_keys import read_api_keys
    from projections import api_keys

    before = None if args.soon is None else datetime.now(UTC) + timedelta(days=args.soon)
    found = await api_keys.page(authority.models, matching_all=api_keys.ApiKeyFilter(expires_before=before), limit=1_000)
    keys = await read_api_keys([row.key_id for row in found.rows], authority.ports)
    print_rows([_shown(key) for key in keys], as_json=args.json, empty="no API keys")
    return DONE


async def _create(authority: "Authority", args: argparse.Namespace) -> int:
    from cli.printing import print_rows
    from cli.service_account_actions import one
    from cli.wishes import wish
    from commands.api_keys import MakeServiceKey, make_service_key

    account = await one(authority, args.account)
    command = wish(
        MakeServiceKey,
        client_id=account.client_id,
        name=args.name,
        audience=args.audience,
        permissions=args.permission,
        expires_in=args.ttl,
    )
    print_rows([(await make_service_key(command, authority.context(), authority.ports)).result], as_json=args.json)
    return DONE


async def _revoke(authority: "Authority", args: argparse.Namespace) -> int:
    from cli.printing import print_rows
    from commands.revoke_api_key import RevokeApiKey, revoke_api_key
    from domain.api_key import KeyRevocation
    from domain.ids import KeyId

    command = RevokeApiKey(key_id=KeyId(args.key_id), reason=KeyRevocation.ADMINISTRATIVE)
    await revoke_api_key(command, authority.context(), authority.ports)
    print_rows([], as_json=args.json, empty=f"{args.key_id} is revoked")
    return DONE


def _shown(key: "ApiKeyView") -> ShownKey:
    return ShownKey(
        key_id=str(key.key_id),
        name=key.name,
        owner=f"client:{key.client_id}" if key.user_id is None else f"user:{key.user_id}",
        audience=key.audience,
        permissions=key.permissions,
        expires_at=key.expires_at,
        expires_soon=key.expires_soon,
        last_used_at=key.last_used_at,
    )
