"""Roles: what they give, who holds them."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, get, post, put
from litestar.params import JSONBody, QueryParameter
from msgspec import Struct

from api import views
from api.asking import Asking
from api.lists import FIFTY, Cursor, Limit, Page, page, place, settle
from api.refuse import refuses
from api.user_roles import RolePath
from commands.define_role import (
    ChangeRolePermissions,
    DefinedRole,
    DefineRole,
    Permissions,
    RetireRole,
    change_role_permissions,
    define_role,
    retire_role,
)
from domain import errors
from domain.ids import RoleName, UserId
from domain.role import stream
from projections import roles, users

_LISTED = (errors.InvalidToken, errors.PermissionDenied, errors.CursorInvalid, errors.StreamVersionInvalid, errors.TooManyWaiting)
_CHANGED = (errors.InvalidToken, errors.PermissionDenied, errors.RightsExceeded, errors.NoSuchRole, errors.RoleProtected, errors.Contended)


class PermissionsWanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that the role gives from now on."""

    permissions: Permissions


class Roles(Controller):
    path = "/api/v1/roles"
    tags = ("roles",)

    @get(operation_id="listRoles", summary="List roles", responses=refuses(*_LISTED))
    async def list_roles(
        self,
        request: Asking,
        retired: Annotated[bool | None, QueryParameter(description="Only the retired, or only the others.")] = None,
        limit: Limit = FIFTY,
        cursor: Cursor = None,
    ) -> Page[views.RoleView]:
        after = place(request, cursor, str, str(retired))
        await settle(request, roles.roles)
        found = await roles.page(request.world.models, retired=retired, after=None if after is None else RoleName(after), limit=limit)
        rows = await views.roles(found.rows, request.world.ports.vault)
        return page(request, rows, found.next_after, found.freshness, str(retired))

    @post(
        operation_id="defineRole",
        summary="Define a role",
        description="Nobody defines more than they may do themselves. A retired role's name is not free.",
        responses=refuses(
            errors.InvalidToken, errors.PermissionDenied, errors.RightsExceeded, errors.RoleExists, errors.IdempotencyKeyInvalid
        ),
    )
    async def define(self, request: Asking, data: JSONBody[DefineRole]) -> DefinedRole:
        done = await define_role(data, request.repeatable(data), request.world.ports)
        return request.wrote(done, stream(RoleName(data.name)))

    @get(
        "/{role:str}",
        operation_id="readRole",
        summary="One role, as it is now",
        responses=refuses(errors.InvalidToken, errors.PermissionDenied, errors.NoSuchRole),
    )
    async def read(self, request: Asking, role: RolePath) -> views.RoleView:
        found = await roles.get(request.world.models, RoleName(role))
        if found is None:
            raise errors.NoSuchRole
        return await views.role_view(found.row, request.world.ports.vault)

    @put(
        "/{role:str}/permissions",
        operation_id="changeRolePermissions",
        status_code=204,
        summary="Change what a role gives",
        responses=refuses(*_CHANGED),
    )
    async def change(self, request: Asking, role: RolePath, data: JSONBody[PermissionsWanted]) -> None:
        command = ChangeRolePermissions(role=RoleName(role), permissions=data.permissions)
        done = await change_role_permissions(command, request.context(), request.world.ports)
        request.wrote(done, stream(RoleName(role)))

    @post(
        "/{role:str}/retire",
        operation_id="retireRole",
        status_code=204,
        summary="Retire a role",
        description="Whoever holds it has nothing by it any more. There is no way back.",
        responses=refuses(*_CHANGED),
    )
    async def retire(self, request: Asking, role: RolePath) -> None:
        done = await retire_role(RetireRole(role=RoleName(role)), request.context(), request.world.ports)
        request.wrote(done, stream(RoleName(role)))

    @get("/{role:str}/holders", operation_id="listRoleHolders", summary="Who holds a role", responses=refuses(*_LISTED))
    async def holders(self, request: Asking, role: RolePath, limit: Limit = FIFTY, cursor: Cursor = None) -> Page[views.UserView]:
        after = place(request, cursor, UUID)
        await settle(request, users.users)
        found = await users.page(request.world.models, role=RoleName(role), after=None if after is None else UserId(after), limit=limit)
        rows = await views.users(found.rows, request.world.ports.vault)
        return page(request, rows, found.next_after, found.freshness)
