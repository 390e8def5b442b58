"""Service tokens that were issued. Whether one is good now is asked of its head and its service account's, not here."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from domain.event import Recorded
from domain.ids import AudienceName, ClientId, TokenId
from domain.machine_token import ServiceTokenExpiresSoon, ServiceTokenIssued, TokenRevoked
from projections.projection import Case, Entity, begins, when
from projections.reading import Freshness, ReadModels, matching
from projections.service_accounts import service_accounts
from projections.sql import beside


class ServiceTokenRow(Struct, frozen=True, kw_only=True):
    """Of an access token of minutes, which was never written, there is a row only once it was revoked: `issued_at` is null."""

    token_id: TokenId
    client_id: ClientId
    audience: AudienceName | None
    issued_at: datetime | None
    expires_at: datetime
    revoked_at: datetime | None
    told_at: datetime | None
    """When it was said that it ends soon."""


def _issued(recorded: Recorded[ServiceTokenIssued]) -> ServiceTokenRow:
    event = recorded.event
    return ServiceTokenRow(
        token_id=event.token_id,
        client_id=event.client_id,
        audience=event.audience,
        issued_at=event.at,
        expires_at=event.expires_at,
        revoked_at=None,
        told_at=None,
    )


def _told(row: ServiceTokenRow, recorded: Recorded[ServiceTokenExpiresSoon]) -> ServiceTokenRow:
    return replace(row, told_at=recorded.event.at)


def _revoked(row: ServiceTokenRow | None, recorded: Recorded[Any]) -> ServiceTokenRow:
    event = recorded.event
    if row is not None:
        return replace(row, revoked_at=event.at)
    return ServiceTokenRow(
        token_id=event.token_id, client_id=event.client_id, audience=None, issued_at=None, expires_at=event.expires_at,
        revoked_at=event.at, told_at=None,
    )  # fmt: skip


_SQL = beside(__file__)

service_tokens = Entity(
    "service_tokens",
    2,
    "token",
    ServiceTokenRow,
    (begins(ServiceTokenIssued, _issued), when(ServiceTokenExpiresSoon, _told), Case(TokenRevoked, _revoked)),
    ignores=(),
    sql=_SQL,
)


class ServiceTokenPage(Struct, frozen=True, kw_only=True):
    """Those that end first come first."""

    rows: Sequence[ServiceTokenRow]
    freshness: Freshness


async def page(models: ReadModels, *, client_id: ClientId | None = None, limit: int = 1_000) -> ServiceTokenPage:
    """List service tokens that were issued and neither revoked nor ended, alone or with all of their account.

    Raises StoreUnavailable.
    """
    conditions, values = matching(_SQL, {"of_client": client_id})
    rows, freshness = await models.rows(service_tokens, "page", await _good("{good} " + conditions, models), [*values, limit])
    return ServiceTokenPage(rows=rows, freshness=freshness)


class Endings(Struct, frozen=True, kw_only=True):
    """`soon`: how many of the good ones are in the last part of their life. `first_at`: when the first of all ends."""

    soon: int
    first_at: datetime | None


async def endings(models: ReadModels) -> Endings:
    (record,) = await models.fetch(service_tokens, await _good(_SQL["endings"], models))
    return Endings(soon=record["soon"], first_at=record["first_at"])


async def ending(models: ReadModels, limit: int) -> Sequence[TokenId]:
    """Give those that end soon and of which that has not been said, the first to end first."""
    records = await models.fetch(service_tokens, await _good(_SQL["ending"], models), limit)
    return [TokenId(record["token_id"]) for record in records]


async def _good(statement: str, models: ReadModels) -> str:
    """Put in what a token's account has to be like. Raises StoreUnavailable."""
    accounts = (await models.generation(service_accounts)).table
    return statement.replace("{good}", _SQL["good"].replace("{accounts}", accounts))
