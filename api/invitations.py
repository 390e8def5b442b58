"""Inviting people, and accepting an invitation by the link from its mail."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import Controller, delete, get, post
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Struct

from api.asking import Asking
from api.lists import FIFTY, Cursor, Limit, Page, page, place, settle
from api.refuse import refuses
from commands.accept_invitation import AcceptInvitation, accept_invitation
from commands.invitations import Invite, Invited, invite, invite_again, revoke_invitation
from commands.open_account import Registered
from commands.ports import Vault
from commands.read_profile import opened
from domain import errors, invitation
from domain.ids import InvitationId, RoleSlug, UserId
from projections import invitations
from projections.invitations import InvitationRow, InvitationStatus

_LISTED = (errors.InvalidToken, errors.PermissionDenied, errors.CursorInvalid, errors.StreamVersionInvalid, errors.TooManyWaiting)
_CHANGED = (errors.InvalidToken, errors.PermissionDenied, errors.RightsExceeded, errors.NoSuchRole, errors.Contended)


class InvitationView(Struct, frozen=True, kw_only=True):
    """An invitation as administrators see it; never its link. One that is `open` past `expires_at` can be mailed once more."""

    invitation_id: InvitationId
    status: InvitationStatus
    email: str | None
    name: str | None
    roles: tuple[RoleSlug, ...]
    invited_by: UserId | None
    mailings: int
    made_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    user_id: UserId | None

    def __repr__(self) -> str:
        return f"InvitationView(invitation_id={self.invitation_id})"


class Invitations(Controller):
    path = "/api/v1/invitations"
    tags = ("users",)

    @post(
        operation_id="createInvitation",
        summary="Invite somebody",
        description=(
            "A mail with a link goes to the address. Nobody invites to more than they may do themselves, neither now nor when the "
            "invitation is accepted. Whether the address has an account is told to its mailbox alone. Three mails to an address, then "
            "one an hour."
        ),
        responses=refuses(*_CHANGED, errors.InvalidEmail, errors.RegistrationClosed, errors.IdempotencyKeyInvalid, errors.MailLimited),
    )
    async def create(self, request: Asking, data: JSONBody[Invite]) -> Invited:
        done = await invite(data, request.repeatable(data), request.world.ports)
        return request.wrote(done, invitation.stream(done.result.invitation_id))

    @get(operation_id="listInvitations", summary="List invitations", description="Newest first.", responses=refuses(*_LISTED))
    async def list_invitations(
        self,
        request: Asking,
        status: Annotated[InvitationStatus | None, QueryParameter(description="Only those.")] = None,
        limit: Limit = FIFTY,
        cursor: Cursor = None,
    ) -> Page[InvitationView]:
        found_at = place(request, cursor, UUID, str(status))
        after = None if found_at is None else InvitationId(found_at)
        await settle(request, invitations.invitations)
        found = await invitations.page(request.world.models, status=status, after=after, limit=limit)
        rows = await _views(found.rows, request.world.ports.vault)
        return page(request, rows, found.next_after, found.freshness, str(status))

    @post(
        "/{invitation_id:uuid}/resend",
        operation_id="resendInvitation",
        status_code=204,
        summary="Have an invitation mailed once more",
        description="With a new link and its whole time to go; links from before are worth nothing. Once a minute, ten mails in all.",
        responses=refuses(*_CHANGED, errors.NoSuchInvitation, errors.InvitationOver, errors.MailLimited),
    )
    async def resend(self, request: Asking, invitation_id: FromPath[UUID]) -> None:
        again = InvitationId(invitation_id)
        request.wrote(await invite_again(again, request.context(), request.world.ports), invitation.stream(again))

    @delete(
        "/{invitation_id:uuid}",
        operation_id="revokeInvitation",
        summary="Take an invitation back",
        responses=refuses(*_CHANGED, errors.NoSuchInvitation, errors.InvitationOver),
    )
    async def revoke(self, request: Asking, invitation_id: FromPath[UUID]) -> None:
        over = InvitationId(invitation_id)
        request.wrote(await revoke_invitation(over, request.context(), request.world.ports), invitation.stream(over))


class Acceptance(Controller):
    path = "/api/v1/auth/invitations"
    tags = ("accounts",)

    @post(
        "/accept",
        operation_id="acceptInvitation",
        summary="Open the account one was invited to",
        description="With the token of the mail's link, once. The address is proved by it; sign in with the new password then.",
        responses=refuses(
            errors.MailTokenInvalid, errors.RegistrationClosed, errors.EmailTaken, errors.UsernameTaken, errors.InvalidUsername,
            errors.PasswordUnacceptable, errors.Overloaded, errors.Contended,
        ),
    )  # fmt: skip
    async def accept(self, request: Asking, data: JSONBody[AcceptInvitation]) -> Registered:
        return await accept_invitation(data, request.context(), request.world.ports)


async def _views(rows: Sequence[InvitationRow], vault: Vault) -> list[InvitationView]:
    return list(await asyncio.gather(*(_view(row, vault) for row in rows)))


async def _view(row: InvitationRow, vault: Vault) -> InvitationView:
    stream = invitation.stream(row.invitation_id)
    return InvitationView(
        invitation_id=row.invitation_id,
        status=row.status,
        email=await opened(row.email, stream, "email", vault),
        name=await opened(row.name, stream, "name", vault),
        roles=row.roles,
        invited_by=row.invited_by,
        mailings=row.mailings,
        made_at=row.made_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
        user_id=row.user_id,
    )
