"""What `minos roles` reads."""

from collections.abc import Sequence

from msgspec import Struct

from cli.authority import Authority
from domain.errors import NoSuchRole
from domain.ids import RoleName
from domain.permission import Permission
from projections import roles
from projections.roles import RoleRow


class ShownRole(Struct, frozen=True, kw_only=True):
    role: RoleName
    permissions: tuple[Permission, ...]
    definition: int
    retired: bool


async def rows(authority: Authority) -> Sequence[ShownRole]:
    page = await roles.page(authority.models, limit=1_000)
    return [_shown(row) for row in page.rows]


async def one(authority: Authority, name: str) -> ShownRole:
    """Raises NoSuchRole."""
    completed = await roles.get(authority.models, RoleName(name))
    if completed is None:
        raise NoSuchRole
    return _shown(completed.row)


def _shown(row: RoleRow) -> ShownRole:
    return ShownRole(role=row.role, permissions=row.permissions, definition=row.definition, retired=row.retired_at is not None)
