"""Roles and what they give. Who holds one is asked of the users."""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from domain.event import Recorded, Sealed
from domain.ids import RoleName
from domain.permission import Permission
from domain.role import RoleDefined, RolePermissionsChanged, RoleRetired, stream
from projections.completion import Completed, completed
from projections.projection import Entity, begins, when
from projections.reading import Page, ReadModels
from projections.sql import beside


class RoleRow(Struct, frozen=True, kw_only=True):
    role: RoleName
    permissions: tuple[Permission, ...]
    """What a holder may do by it; of a retired role: nothing."""
    definition: int
    description: Sealed | None
    defined_at: datetime
    updated_at: datetime
    retired_at: datetime | None


def _defined(recorded: Recorded[RoleDefined]) -> RoleRow:
    event = recorded.event
    return RoleRow(
        role=event.role,
        permissions=event.permissions,
        definition=1,
        description=event.description,
        defined_at=event.at,
        updated_at=event.at,
        retired_at=None,
    )


def _permissions_changed(row: RoleRow, recorded: Recorded[RolePermissionsChanged]) -> RoleRow:
    event = recorded.event
    return replace(row, permissions=event.permissions, definition=event.definition, updated_at=event.at)


def _retired(row: RoleRow, recorded: Recorded[RoleRetired]) -> RoleRow:
    event = recorded.event
    return replace(row, permissions=(), definition=event.definition, retired_at=event.at, updated_at=event.at)


_SQL = beside(__file__)

roles = Entity(
    "roles",
    1,
    "role",
    RoleRow,
    (
        begins(RoleDefined, _defined),
        when(RolePermissionsChanged, _permissions_changed),
        when(RoleRetired, _retired),
    ),
    ignores=(),
    sql=_SQL,
)


async def page(
    models: ReadModels, *, retired: bool | None = None, after: RoleName | None = None, limit: int = 50
) -> Page[RoleRow, RoleName]:
    """List roles by name, only those retired or not retired if asked. Raises StoreUnavailable."""
    return await models.page(roles, {"with_retired": retired, "after": after}, limit, lambda row: row.role)


async def get(models: ReadModels, role: RoleName) -> Completed[RoleRow] | None:
    """Give one role as its stream is now. None when it was never defined."""
    return await completed(models, roles, stream(role))
