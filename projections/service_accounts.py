"""Which service accounts there are. What one may do, and how it proves itself, is asked of its head."""

from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from domain.client_events import (
    ClientChanged,
    ClientDeleted,
    ClientDisabled,
    ClientEnabled,
    ClientKeyAdded,
    ClientKeyRemoved,
    ClientRegistered,
    ClientSecretAdded,
    ClientSecretRemoved,
    ClientTokensRevoked,
)
from domain.event import Recorded
from domain.ids import ClientId, UserId
from projections.projection import Entity, begins, when
from projections.reading import Page, ReadModels
from projections.sql import beside


class ServiceAccountRow(Struct, frozen=True, kw_only=True):
    client_id: ClientId
    owner_id: UserId | None
    registered_at: datetime
    deleted_at: datetime | None
    epoch: int
    tokens_since: datetime | None
    """When the epoch rose last, or the account was deleted: tokens given before are dead."""


def _registered(recorded: Recorded[ClientRegistered]) -> ServiceAccountRow:
    event = recorded.event
    return ServiceAccountRow(
        client_id=event.client_id, owner_id=event.owner_id, registered_at=event.at, deleted_at=None, epoch=1, tokens_since=None
    )


def _changed(row: ServiceAccountRow, recorded: Recorded[ClientChanged]) -> ServiceAccountRow:
    event = recorded.event
    risen = event.epoch > row.epoch
    return replace(row, owner_id=event.owner_id, epoch=event.epoch, tokens_since=event.at if risen else row.tokens_since)


def _stopped(row: ServiceAccountRow, recorded: Recorded[Any]) -> ServiceAccountRow:
    return replace(row, epoch=recorded.event.epoch, tokens_since=recorded.event.at)


def _deleted(row: ServiceAccountRow, recorded: Recorded[ClientDeleted]) -> ServiceAccountRow:
    return replace(row, deleted_at=recorded.event.at, tokens_since=recorded.event.at)


_SQL = beside(__file__)

service_accounts = Entity(
    "service_accounts",
    2,
    "client",
    ServiceAccountRow,
    (
        begins(ClientRegistered, _registered),
        when(ClientChanged, _changed),
        when(ClientTokensRevoked, _stopped),
        when(ClientDisabled, _stopped),
        when(ClientDeleted, _deleted),
    ),
    ignores=(
        ClientSecretAdded,
        ClientSecretRemoved,
        ClientKeyAdded,
        ClientKeyRemoved,
        ClientEnabled,
    ),
    sql=_SQL,
)


async def page(models: ReadModels, *, after: ClientId | None = None, limit: int = 50) -> Page[ServiceAccountRow, ClientId]:
    """List service accounts that were not deleted, by id. Raises StoreUnavailable."""
    return await models.page(service_accounts, {"after": after}, limit, lambda row: row.client_id)
