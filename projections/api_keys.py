"""Which API keys there are. Whether one opens anything now is asked of its head, not here."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from domain.api_key import ApiKeyErased, ApiKeyExpiresSoon, ApiKeyMade, ApiKeyRevoked, ApiKeyRotated
from domain.event import Recorded
from domain.ids import ClientId, KeyId, UserId
from projections.projection import Entity, begins, when
from projections.reading import Page, ReadModels
from projections.sql import beside


class ApiKeyRow(Struct, frozen=True, kw_only=True):
    key_id: KeyId
    user_id: UserId | None
    client_id: ClientId | None
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    since: datetime
    """When it was made, or turned last."""
    told_at: datetime | None
    """When it was said that it ends soon; null again once it was turned."""


def _made(recorded: Recorded[ApiKeyMade]) -> ApiKeyRow:
    event = recorded.event
    return ApiKeyRow(
        key_id=event.key_id,
        user_id=event.user_id,
        client_id=event.client_id,
        made_at=event.at,
        expires_at=event.expires_at,
        revoked_at=None,
        since=event.at,
        told_at=None,
    )


def _rotated(row: ApiKeyRow, recorded: Recorded[ApiKeyRotated]) -> ApiKeyRow:
    return replace(row, expires_at=recorded.event.expires_at, since=recorded.event.at, told_at=None)


def _told(row: ApiKeyRow, recorded: Recorded[ApiKeyExpiresSoon]) -> ApiKeyRow:
    return replace(row, told_at=recorded.event.at)


def _revoked(row: ApiKeyRow, recorded: Recorded[ApiKeyRevoked]) -> ApiKeyRow:
    return replace(row, revoked_at=recorded.event.at)


_SQL = beside(__file__)

api_keys = Entity(
    "api_keys",
    3,
    "api_key",
    ApiKeyRow,
    (
        begins(ApiKeyMade, _made),
        when(ApiKeyRotated, _rotated),
        when(ApiKeyExpiresSoon, _told),
        when(ApiKeyRevoked, _revoked),
    ),
    ignores=(),
    sql=_SQL,
    ends=(ApiKeyErased,),
)


class ApiKeyFilter(Struct, frozen=True, kw_only=True):
    """All that are given must hold."""

    user_id: UserId | None = None
    client_id: ClientId | None = None
    expires_before: datetime | None = None


async def page(models: ReadModels, *, matching_all: ApiKeyFilter, after: KeyId | None = None, limit: int = 50) -> Page[ApiKeyRow, KeyId]:
    """List keys that were not revoked, newest first. Raises StoreUnavailable."""
    wanted = {
        "of_user": matching_all.user_id,
        "of_client": matching_all.client_id,
        "expires_before": matching_all.expires_before,
        "after": after,
    }
    return await models.page(api_keys, wanted, limit, lambda row: row.key_id)


async def ending(models: ReadModels, limit: int) -> Sequence[KeyId]:
    """Give those that end soon and of which that has not been said, the first to end first."""
    return [KeyId(record["key_id"]) for record in await models.fetch(api_keys, _SQL["ending"], limit)]


async def all_of(models: ReadModels, user_id: UserId) -> Sequence[KeyId]:
    """Give every key somebody ever had, whatever became of it."""
    return [KeyId(record["key_id"]) for record in await models.fetch(api_keys, _SQL["all_of"], user_id)]
