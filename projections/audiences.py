"""Services that tokens may be issued for. What is asked at an issue is asked of the heads, not here."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from domain.audience import AudienceChanged, AudienceDefined, AudienceRetired, PrincipalKind, Rules, stream
from domain.event import Recorded, Sealed
from domain.ids import AudienceName, ClientId, RoleName
from domain.permission import Permission
from domain.session import MINOS
from domain.signing_key import Algorithm
from projections.completion import Completed, completed
from projections.projection import Entity, begins, when
from projections.reading import Page, ReadModels
from projections.sql import beside


class AudienceRow(Struct, frozen=True, kw_only=True):
    audience: AudienceName
    permissions: tuple[Permission, ...]
    algorithm: Algorithm | None
    access_token_ttl: int | None
    principals: tuple[PrincipalKind, ...]
    roles: tuple[RoleName, ...]
    clients: tuple[ClientId, ...]
    definition: int
    description: Sealed | None
    defined_at: datetime
    updated_at: datetime
    retired_at: datetime | None


def _defined(recorded: Recorded[AudienceDefined]) -> AudienceRow:
    event = recorded.event
    rules = event.rules
    return AudienceRow(
        audience=event.audience,
        permissions=rules.permissions,
        algorithm=rules.algorithm,
        access_token_ttl=rules.access_token_ttl,
        principals=rules.principals,
        roles=rules.roles,
        clients=rules.clients,
        definition=1,
        description=event.description,
        defined_at=event.at,
        updated_at=event.at,
        retired_at=None,
    )


def _changed(row: AudienceRow, recorded: Recorded[AudienceChanged]) -> AudienceRow:
    event = recorded.event
    rules: Rules = event.rules
    return replace(
        row,
        permissions=rules.permissions,
        algorithm=rules.algorithm,
        access_token_ttl=rules.access_token_ttl,
        principals=rules.principals,
        roles=rules.roles,
        clients=rules.clients,
        definition=event.definition,
        updated_at=event.at,
    )


def _retired(row: AudienceRow, recorded: Recorded[AudienceRetired]) -> AudienceRow:
    event = recorded.event
    return replace(row, definition=event.definition, retired_at=event.at, updated_at=event.at)


_SQL = beside(__file__)
_MANY = 200

audiences = Entity(
    "audiences",
    1,
    "audience",
    AudienceRow,
    (
        begins(AudienceDefined, _defined),
        when(AudienceChanged, _changed),
        when(AudienceRetired, _retired),
    ),
    ignores=(),
    sql=_SQL,
)


async def page(
    models: ReadModels, *, retired: bool | None = None, after: AudienceName | None = None, limit: int = 50
) -> Page[AudienceRow, AudienceName]:
    """List audiences by name, only those retired or not retired if asked. Raises StoreUnavailable."""
    return await models.page(audiences, {"with_retired": retired, "after": after}, limit, lambda row: row.audience)


async def get(models: ReadModels, audience: AudienceName) -> Completed[AudienceRow] | None:
    """Give one audience as its stream is now. None when it was never defined."""
    return await completed(models, audiences, stream(audience))


async def of_people(models: ReadModels) -> Sequence[AudienceName]:
    """Give every audience that a person can be given a token for, but Minos itself: its services may hold something of anybody."""
    told: list[AudienceName] = []
    after: AudienceName | None = None
    while True:
        found = await page(models, retired=False, after=after, limit=_MANY)
        told += [row.audience for row in found.rows if PrincipalKind.USER in row.principals and row.audience != MINOS]
        if (after := found.next_after) is None:
            return told
