"""Service tokens that were issued. Whether one is good now is asked of its head and its service account's, not here."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from domain.event import Recorded
from domain.ids import AudienceName, ClientId, TokenId
from domain.machine_token import ServiceTokenIssued, TokenRevoked
from projections.projection import Case, Entity, begins
from projections.reading import Freshness, ReadModels, matching
from projections.sql import beside


class ServiceTokenRow(Struct, frozen=True, kw_only=True):
    """Of an access token of minutes, which was never written, there is a row only once it was revoked: `issued_at` is null."""

    token_id: TokenId
    client_id: ClientId
    audience: AudienceName | None
    issued_at: datetime | None
    expires_at: datetime
    revoked_at: datetime | None


def _issued(recorded: Recorded[ServiceTokenIssued]) -> ServiceTokenRow:
    event = recorded.event
    return ServiceTokenRow(
        token_id=event.token_id,
        client_id=event.client_id,
        audience=event.audience,
        issued_at=event.at,
        expires_at=event.expires_at,
        revoked_at=None,
    )


def _revoked(row: ServiceTokenRow | None, recorded: Recorded[Any]) -> ServiceTokenRow:
    event = recorded.event
    if row is not None:
        return replace(row, revoked_at=event.at)
    return ServiceTokenRow(
        token_id=event.token_id, client_id=event.client_id, audience=None, issued_at=None, expires_at=event.expires_at, revoked_at=event.at
    )


_SQL = beside(__file__)

service_tokens = Entity(
    "service_tokens",
    1,
    "token",
    ServiceTokenRow,
    (begins(ServiceTokenIssued, _issued), Case(TokenRevoked, _revoked)),
    ignores=(),
    sql=_SQL,
)


class ServiceTokenPage(Struct, frozen=True, kw_only=True):
    """Those that end first come first. `next_after` is None on the last page."""

    rows: Sequence[ServiceTokenRow]
    freshness: Freshness


async def page(models: ReadModels, *, client_id: ClientId | None = None, limit: int = 1_000) -> ServiceTokenPage:
    """List service tokens that were issued and neither revoked nor ended. Raises StoreUnavailable."""
    conditions, values = matching(_SQL, {"of_client": client_id})
    rows, freshness = await models.rows(service_tokens, "page", conditions, [*values, limit])
    return ServiceTokenPage(rows=rows, freshness=freshness)
