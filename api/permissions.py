"""May the caller do this, now?"""

from typing import Annotated

from litestar import Controller, post
from litestar.params import JSONBody
from msgspec import UNSET, Meta, Struct, UnsetType

from api.asking import Asking
from api.refusals import Fault, ValidationFailed
from api.refuse import refuses
from commands.check_permission import CheckPermission, Verdict, check_permissions
from domain import errors
from domain.ids import AudienceSlug
from domain.permission import PermissionText

Resource = Annotated[str, Meta(min_length=1, max_length=256, description="Roles of this release give a permission on every resource.")]


class Check(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    permission: PermissionText
    audience: AudienceSlug | None = None
    resource: Resource | None = None


class Asked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One question by its own fields, or several in `checks`; never both."""

    permission: PermissionText | UnsetType = UNSET
    audience: AudienceSlug | None = None
    resource: Resource | None = None
    checks: Annotated[tuple[Check, ...], Meta(min_length=1, max_length=100)] | UnsetType = UNSET


class Verdicts(Struct, frozen=True, kw_only=True):
    """In the order asked."""

    checks: list[Verdict]


class Permissions(Controller):
    path = "/api/v1/permissions"
    tags = ("permissions",)

    @post(
        "/check",
        operation_id="checkPermissions",
        status_code=200,
        summary="May I do this, now?",
        description="Answered on the roles as they are at this moment. Never changes anything.",
        responses=refuses(errors.InvalidToken, errors.AudienceNotAllowed),
    )
    async def check(self, request: Asking, data: JSONBody[Asked]) -> Verdict | Verdicts:
        questions = [CheckPermission(permission=q.permission, audience=q.audience) for q in _questions(data)]
        verdicts = await check_permissions(questions, request.caller, request.world.ports)
        return verdicts[0] if data.checks is UNSET else Verdicts(checks=verdicts)


def _questions(asked: Asked) -> tuple[Check, ...]:
    if asked.checks is UNSET and asked.permission is not UNSET:
        return (Check(permission=asked.permission, audience=asked.audience, resource=asked.resource),)
    if asked.checks is not UNSET and asked.permission is UNSET and asked.audience is None and asked.resource is None:
        return asked.checks
    raise ValidationFailed([Fault(pointer="/permission", code="one_of", detail="Exactly one of permission and checks is needed.")])
