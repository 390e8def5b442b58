"""Having an account erased, thinking better of it, and looking first at what would go (ADM-04, ACC-24)."""

from uuid import UUID

from litestar import Controller, delete, get, post
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from api.asking import Asking
from api.erasure_preview import ErasurePreview, preview
from api.refuse import refuses
from api.users import CHANGED
from commands.erase_user import AdminAskedBy, EraseUser, ErasureWait, erase_user, keep_user
from domain import erasure, errors
from domain.ids import UserId


class Erasing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose wish it is: the administrator's own, or because the law asks for it."""

    asked_by: AdminAskedBy = AdminAskedBy.ADMINISTRATOR


class EraseUsers(Controller):
    path = "/api/v1/users/{user_id:uuid}"
    tags = ("users",)

    @post(
        "/erase",
        operation_id="eraseUser",
        status_code=202,
        summary="Have an account erased",
        description=(
            "After `MINOS_ERASURE_WAIT`, whatever stage it is in; until then everything goes on, and it can be withdrawn. Asking again, "
            "or after its owner, gives the date there is. Its owner hears when it begins."
        ),
        responses=refuses(*CHANGED, errors.LastAdminProtected),
    )
    async def erase(self, request: Asking, user_id: FromPath[UUID], data: JSONBody[Erasing]) -> ErasureWait:
        command = EraseUser(user_id=UserId(user_id), asked_by=data.asked_by)
        return request.wrote(await erase_user(command, request.context(), request.world.ports), erasure.stream(command.user_id))

    @delete(
        "/erase",
        operation_id="keepUser",
        summary="Keep an account after all",
        description="Withdraws what administrators asked for. What its owner asked for is theirs to withdraw.",
        responses=refuses(*CHANGED, errors.NoErasureAsked),
    )
    async def keep(self, request: Asking, user_id: FromPath[UUID]) -> None:
        of = UserId(user_id)
        request.wrote(await keep_user(of, request.context(), request.world.ports), erasure.stream(of))

    @get(
        "/erase",
        operation_id="previewErasure",
        summary="What an erasure would take, and who would be told",
        description="What would be refused is refused here, too.",
        responses=refuses(errors.InvalidToken, errors.PermissionDenied, errors.NoSuchUser, errors.LastAdminProtected),
    )
    async def preview(self, request: Asking, user_id: FromPath[UUID]) -> ErasurePreview:
        return await preview(UserId(user_id), request.world.models, request.world.ports)
