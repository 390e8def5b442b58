"""Invitations as administrators list them. Addresses stay closed; who may see them opens them when answering."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from domain.event import Recorded, Sealed
from domain.ids import InvitationId, RoleName, UserId
from domain.invitation import InvitationAccepted, InvitationErased, InvitationMade, InvitationRenewed, InvitationRevoked
from projections.projection import Entity, begins, when
from projections.reading import Page, ReadModels
from projections.sql import beside


class InvitationStatus(StrEnum):
    OPEN = "open"
    """Also past its time: it can be mailed once more."""
    ACCEPTED = "accepted"
    REVOKED = "revoked"


class InvitationRow(Struct, frozen=True, kw_only=True):
    invitation_id: InvitationId
    status: InvitationStatus
    email: Sealed
    name: Sealed | None
    roles: tuple[RoleName, ...]
    invited_by: UserId | None
    mailings: int
    made_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    user_id: UserId | None
    """Whose account it became."""


def _made(recorded: Recorded[InvitationMade]) -> InvitationRow:
    event = recorded.event
    return InvitationRow(
        invitation_id=event.invitation_id,
        status=InvitationStatus.OPEN,
        email=event.email,
        name=event.name,
        roles=event.roles,
        invited_by=event.invited_by,
        mailings=1,
        made_at=event.at,
        expires_at=event.expires_at,
        ended_at=None,
        user_id=None,
    )


def _renewed(row: InvitationRow, recorded: Recorded[InvitationRenewed]) -> InvitationRow:
    return replace(row, mailings=recorded.event.mailing, expires_at=recorded.event.expires_at)


def _accepted(row: InvitationRow, recorded: Recorded[InvitationAccepted]) -> InvitationRow:
    return replace(row, status=InvitationStatus.ACCEPTED, ended_at=recorded.event.at, user_id=recorded.event.user_id)


def _revoked(row: InvitationRow, recorded: Recorded[InvitationRevoked]) -> InvitationRow:
    return replace(row, status=InvitationStatus.REVOKED, ended_at=recorded.event.at)


_SQL = beside(__file__)

invitations = Entity(
    "invitations",
    2,
    "invitation",
    InvitationRow,
    (
        begins(InvitationMade, _made),
        when(InvitationRenewed, _renewed),
        when(InvitationAccepted, _accepted),
        when(InvitationRevoked, _revoked),
    ),
    ignores=(),
    sql=_SQL,
    ends=(InvitationErased,),
)


async def page(
    models: ReadModels, *, status: InvitationStatus | None = None, after: InvitationId | None = None, limit: int = 50
) -> Page[InvitationRow, InvitationId]:
    """List invitations, newest first. Raises StoreUnavailable."""
    return await models.page(invitations, {"with_status": status, "after": after}, limit, lambda row: row.invitation_id)


async def accepted_by(models: ReadModels, user_id: UserId) -> Sequence[InvitationId]:
    """Give those that became somebody's account: one, as a rule."""
    return [InvitationId(record["invitation_id"]) for record in await models.fetch(invitations, _SQL["accepted_by"], user_id)]
