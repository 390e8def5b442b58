"""The roles of an account as administrators see, give and take them."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, delete, get, put
from litestar.params import FromPath, PathParameter
from msgspec import Struct

from api.asking import Asking
from api.refuse import refuses
from api.users import CHANGED, SLUG
from commands.grant_role import GrantRole, RevokeRole, grant_role, revoke_role
from commands.identify import rights_of
from commands.read_profile import read_profile
from domain import errors, user
from domain.ids import RoleName, UserId
from domain.permission import Permission

RolePath = Annotated[str, PathParameter(pattern=SLUG, description="A role's name.")]


class HeldRole(Struct, frozen=True, kw_only=True):
    role: RoleName
    permissions: tuple[Permission, ...]


class HeldRoles(Struct, frozen=True, kw_only=True):
    """What a user holds, and what each of it gives at this moment."""

    data: tuple[HeldRole, ...]


class UserRoles(Controller):
    path = "/api/v1/users/{user_id:uuid}/roles"
    tags = ("users",)

    @get(
        operation_id="readUserRoles",
        summary="The roles of an account, as they are now",
        responses=refuses(errors.InvalidToken, errors.PermissionDenied, errors.NoSuchUser),
    )
    async def roles(self, request: Asking, user_id: FromPath[UUID]) -> HeldRoles:
        profile = await read_profile(UserId(user_id), request.world.ports)
        given = await rights_of(profile.roles, request.world.ports)
        return HeldRoles(data=tuple(HeldRole(role=name, permissions=permissions) for name, permissions in given.items()))

    @put(
        "/{role:str}",
        operation_id="grantRole",
        status_code=204,
        summary="Give a role",
        description="Nobody gives more than they may do themselves. Giving what is held changes nothing. Nobody holds more than 64.",
        responses=refuses(*CHANGED, errors.NoSuchRole, errors.TooManyRoles),
    )
    async def grant(self, request: Asking, user_id: FromPath[UUID], role: RolePath) -> None:
        command = GrantRole(user_id=UserId(user_id), role=RoleName(role))
        request.wrote(await grant_role(command, request.context(), request.world.ports), user.stream(command.user_id))

    @delete(
        "/{role:str}",
        operation_id="revokeRole",
        summary="Take a role away",
        description="Strong checks see it at once; tokens at their next issue.",
        responses=refuses(*CHANGED, errors.LastAdminProtected),
    )
    async def revoke(self, request: Asking, user_id: FromPath[UUID], role: RolePath) -> None:
        command = RevokeRole(user_id=UserId(user_id), role=RoleName(role))
        request.wrote(await revoke_role(command, request.context(), request.world.ports), user.stream(command.user_id))
