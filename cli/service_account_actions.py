"""What `minos service-accounts` and `minos service-token` read, and how they find one by its id or its name."""

from argparse import Namespace
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from cli.authority import Authority
from cli.command import NotAccepted
from cli.wishes import AUDIENCE
from commands.audiences import register_audiences
from commands.read_service_accounts import ServiceAccountView, read_service_accounts
from domain.audience import NATS
from domain.errors import NoSuchServiceAccount
from domain.ids import AudienceName, ClientId, is_slug
from domain.session import MINOS
from domain.signal_rights import signals_for
from projections import service_accounts


class ShownServiceAccount(Struct, frozen=True, kw_only=True):
    client_id: str
    name: str | None
    enabled: bool
    audiences: tuple[str, ...]
    permissions: tuple[str, ...]
    secrets: int
    keys: int
    last_used_at: datetime | None


async def rights(authority: Authority, args: Namespace, now: ServiceAccountView | None = None) -> dict[str, Any]:
    """Give the fields of a command that were given as arguments. Signals are added to the rest, or to what an account has now.

    Whoever reads signals of an audience does so at NATS and at Minos itself, and asks about its tokens: it has all three audiences, and
    the one of its own is registered where it was not. Raises NotAccepted.
    """
    given = {"audiences": args.audience, "permissions": args.permission, "token_ttl": args.ttl}
    if args.signals:
        names = await _registered(authority, args.signals)
        audiences = args.audience or (() if now is None else now.audiences)
        permissions = args.permission or (() if now is None else now.permissions)
        given["audiences"] = [*audiences, *names, MINOS, NATS]
        given["permissions"] = [*permissions, *(permission for name in names for permission in signals_for(name))]
    return {name: value for name, value in given.items() if value is not None}


async def _registered(authority: Authority, names: Sequence[str]) -> Sequence[AudienceName]:
    for name in names:
        if not is_slug(name):
            raise NotAccepted(f"not accepted: {name!r}; {AUDIENCE}")
    found = [AudienceName(name) for name in names]
    await register_audiences(found, authority.context(), authority.ports)
    return found


async def every(authority: Authority) -> Sequence[ServiceAccountView]:
    found: list[ServiceAccountView] = []
    after: ClientId | None = None
    while True:
        page = await service_accounts.page(authority.models, after=after, limit=200)
        found += await read_service_accounts([row.client_id for row in page.rows], authority.ports)
        if page.next_after is None:
            return found
        after = page.next_after


async def one(authority: Authority, named: str) -> ServiceAccountView:
    """By id, else by name. Raises NoSuchServiceAccount, NotAccepted where several are called so."""
    if is_slug(named) and (known := await read_service_accounts([ClientId(named)], authority.ports)):
        return known[0]
    called = [account for account in await every(authority) if account.name == named]
    if not called:
        raise NoSuchServiceAccount
    if len(called) > 1:
        raise NotAccepted(f"several are called {named!r}: name one by its id: {', '.join(account.client_id for account in called)}")
    return called[0]


def shown(account: ServiceAccountView) -> ShownServiceAccount:
    return ShownServiceAccount(
        client_id=account.client_id,
        name=account.name,
        enabled=account.enabled,
        audiences=account.audiences,
        permissions=account.permissions,
        secrets=len(account.secrets),
        keys=len(account.keys),
        last_used_at=account.last_used_at,
    )
