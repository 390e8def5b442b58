"""`minos keys`: the keys that sign access tokens, signals, and what gateways hand on; and those that wrap all keys at rest."""

import argparse
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from cli.command import DONE, Commands, NotAccepted

if TYPE_CHECKING:
    from cli.authority import Authority
    from projections.signing_keys import SigningKeyRow

PURPOSES = ("access", "signals", "internal")


class ShownKey(Struct, frozen=True, kw_only=True):
    kid: str
    purpose: str
    algorithm: str
    stage: str
    created_at: datetime


def add(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "keys",
        help="list, rotate and revoke signing keys; have all keys wrapped by a new master key",
        description=(
            "Signing keys: the next one is always published before it signs; the old one verifies until its last token has expired. Keys "
            "at rest: `status` shows what hangs on which key that wraps others, `rewrap` has all of it wrapped by the current one."
        ),
        epilog="example: minos keys rotate",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="list signing keys")
    listing.add_argument("--purpose", choices=PURPOSES, help="only those that sign this")
    rotate = actions.add_parser("rotate", help="promote the published key, retire the active one, publish the next")
    rotate.add_argument("--purpose", choices=PURPOSES, default="access", help="what the keys sign (access)")
    rotate.add_argument(
        "--algorithm", choices=("ES256", "RS256", "PS256", "EdDSA"), help="of new keys for access tokens (MINOS_SIGNING_ALGORITHM)"
    )
    revoke = actions.add_parser("revoke", help="withdraw a key at once: tokens it signed are refused from now on")
    revoke.add_argument("kid")
    revoke.add_argument("--reason", choices=("compromised", "superseded", "administrative"), default="compromised")
    actions.add_parser("status", help="what hangs on which root key and month; exit 1 while something hangs on an earlier root key")
    actions.add_parser(
        "rewrap",
        help="have all keys wrapped by the current root key, while everybody serves",
        description=(
            "Change the wrapping of every key at rest, as the owner role (MINOS_MIGRATION_DATABASE_URL). Every process has to have the new "
            "key by then. Broken off, it goes on where it was when it is run again. Exit code 1 when something is left."
        ),
    )
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", help="print JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    from cli import rewrap
    from cli.authority import with_authority

    act = {"status": rewrap.status, "rewrap": rewrap.rewrap}.get(args.action, _act)
    return with_authority(lambda authority: act(authority, args))


async def _act(authority: "Authority", args: argparse.Namespace) -> int:
    from cli.printing import print_rows
    from cli.wishes import wish
    from commands import signing_keys as use

    ports, ctx = authority.ports, authority.context()
    match args.action:
        case "rotate":
            algorithm = args.algorithm or authority.settings.signing_algorithm
            command = wish(use.RotateSigningKey, algorithm=algorithm, purpose=args.purpose)
            if args.algorithm and command.use.algorithm != args.algorithm:
                raise NotAccepted(f"keys for {args.purpose} are always {command.use.algorithm}: leave --algorithm out")
            await use.rotate_signing_key(command, ctx, ports)
        case "revoke":
            await use.revoke_signing_key(wish(use.RevokeSigningKey, kid=args.kid, reason=args.reason), ctx, ports)
        case _:
            pass
    print_rows(await _rows(authority, getattr(args, "purpose", None)), as_json=args.json, empty="no signing keys")
    return DONE


async def _rows(authority: "Authority", purpose: str | None) -> list[ShownKey]:
    """Those for one purpose, or all. Each completed from its stream: a rotation shows at once."""
    from projections import signing_keys

    found = [await signing_keys.get(authority.models, kid) for kid in await authority.ports.keys.kids()]
    return [_shown(key.row) for key in found if key is not None and purpose in {None, key.row.purpose}]


def _shown(row: "SigningKeyRow") -> ShownKey:
    return ShownKey(kid=row.kid, purpose=row.purpose, algorithm=row.algorithm, stage=row.stage, created_at=row.created_at)
