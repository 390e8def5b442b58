"""What `minos invitations` reads."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from cli.authority import Authority
from commands.read_profile import opened
from domain import invitation
from domain.ids import InvitationId, RoleSlug
from projections import invitations
from projections.invitations import InvitationStatus


class Listed(Struct, frozen=True, kw_only=True):
    invitation_id: InvitationId
    status: InvitationStatus
    email: str | None
    roles: tuple[RoleSlug, ...]
    mailings: int
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Listed(invitation_id={self.invitation_id})"


async def listed(authority: Authority, *, status: str | None, limit: int) -> Sequence[Listed]:
    found = await invitations.page(authority.models, status=None if status is None else InvitationStatus(status), limit=limit)
    return [
        Listed(
            invitation_id=row.invitation_id,
            status=row.status,
            email=await opened(row.email, invitation.stream(row.invitation_id), "email", authority.ports.vault),
            roles=row.roles,
            mailings=row.mailings,
            expires_at=row.expires_at,
        )
        for row in found.rows
    ]
