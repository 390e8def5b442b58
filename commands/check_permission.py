"""May the caller do this, now? Answered on the roles' heads, with the reason."""

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

from commands.audiences import require_registered
from commands.context import Principal
from commands.identify import rights_of
from commands.ports import Ports
from domain.ids import AudienceSlug, RoleName, RoleSlug
from domain.permission import Permission, PermissionText, allows


class CheckPermission(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    permission: PermissionText
    audience: AudienceSlug | None = None


class Because(StrEnum):
    ROLE = "role"
    NO_ROLE = "no_role"


class Verdict(Struct, frozen=True, kw_only=True):
    allowed: bool
    because: Because
    role: RoleSlug | None = None
    """The first of the caller's roles, by name, that gives it."""


async def check_permissions(questions: Sequence[CheckPermission], principal: Principal, ports: Ports) -> list[Verdict]:
    """Answer in the order asked. Never writes an event. Raises AudienceNotAllowed for an audience that is not known."""
    await require_registered([q.audience for q in questions if q.audience is not None], ports)
    given = await rights_of(sorted(principal.roles), ports)
    return [_verdict(q.permission, given) for q in questions]


def _verdict(wanted: Permission, given: dict[RoleName, tuple[Permission, ...]]) -> Verdict:
    for name, permissions in given.items():
        if allows(permissions, wanted):
            return Verdict(allowed=True, because=Because.ROLE, role=name)
    return Verdict(allowed=False, because=Because.NO_ROLE)
