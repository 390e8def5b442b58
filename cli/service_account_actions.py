"""What `minos service-accounts` and `minos service-token` read, and how they find one by its id or its name."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from cli.authority import Authority
from cli.command import NotAccepted
from commands.read_service_accounts import ServiceAccountView, read_service_accounts
from domain.errors import NoSuchServiceAccount
from domain.ids import ClientId, is_slug
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
