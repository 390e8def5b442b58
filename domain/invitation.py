"""Somebody is invited to have an account: by mail, with the roles it will have, for a while. Whoever reads the mailbox accepts.

Stages: Absent -> Open -> Accepted or Revoked; Forgotten once whoever accepted it was erased. Expiry is read from the times. Of the links
mailed for it only the newest works.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain.decider import Decider
from domain.errors import InvitationOver, MailLimited, MailTokenInvalid, NoSuchInvitation
from domain.event import Event, Sealed
from domain.ids import InvitationId, RoleName, RoleSlug, StreamName, UserId

MOST_MAILINGS = 10
PAUSE_SECONDS = 60
"""Between two mails about one invitation: nobody's mailbox is filled by who may invite."""


class InvitationMade(Event, frozen=True, kw_only=True, tag="invitation.made.v1"):
    """`invited_by` is null where it was made on the command line. Address and name are sealed under a key of the invitation's own."""

    invitation_id: InvitationId
    email: Sealed
    name: Sealed | None
    roles: tuple[RoleSlug, ...]
    invited_by: UserId | None
    expires_at: datetime


class InvitationRenewed(Event, frozen=True, kw_only=True, tag="invitation.renewed.v1"):
    """Mailed once more; links of earlier mails are worth nothing now."""

    invitation_id: InvitationId
    mailing: int
    expires_at: datetime


class InvitationAccepted(Event, frozen=True, kw_only=True, tag="invitation.accepted.v1"):
    invitation_id: InvitationId
    user_id: UserId


class InvitationRevoked(Event, frozen=True, kw_only=True, tag="invitation.revoked.v1"):
    invitation_id: InvitationId


class InvitationErased(Event, frozen=True, kw_only=True, tag="invitation.erased.v1"):
    """Whoever accepted it was erased: the last event of its stream. The keys it was sealed under are destroyed because of it."""

    invitation_id: InvitationId
    user_id: UserId


InvitationEvent = InvitationMade | InvitationRenewed | InvitationAccepted | InvitationRevoked | InvitationErased


class Absent(Struct, frozen=True, tag="absent"):
    pass


class Open(Struct, frozen=True, kw_only=True, tag="open"):
    invitation_id: InvitationId
    email: Sealed
    name: Sealed | None
    roles: tuple[RoleSlug, ...]
    invited_by: UserId | None
    mailing: int
    mailed_at: datetime
    expires_at: datetime


class Accepted(Struct, frozen=True, kw_only=True, tag="accepted"):
    invitation_id: InvitationId
    roles: tuple[RoleSlug, ...]
    user_id: UserId


class Revoked(Struct, frozen=True, kw_only=True, tag="revoked"):
    invitation_id: InvitationId
    roles: tuple[RoleSlug, ...]


class Forgotten(Struct, frozen=True, tag="forgotten"):
    """Whose it was is erased. Final: nothing is known of it."""


Invitation = Absent | Open | Accepted | Revoked | Forgotten


def evolve(state: Invitation, event: InvitationEvent) -> Invitation:
    match event:
        case InvitationMade():
            return _opened(event)
        case InvitationRenewed():
            if not isinstance(state, Open):
                return state
            return replace(state, mailing=event.mailing, mailed_at=event.at, expires_at=event.expires_at)
        case InvitationAccepted():
            return Accepted(invitation_id=event.invitation_id, roles=_roles(state), user_id=event.user_id)
        case InvitationRevoked():
            return Revoked(invitation_id=event.invitation_id, roles=_roles(state))
        case InvitationErased():
            return Forgotten()
        case _:
            assert_never(event)


def _opened(event: InvitationMade) -> Open:
    return Open(
        invitation_id=event.invitation_id,
        email=event.email,
        name=event.name,
        roles=event.roles,
        invited_by=event.invited_by,
        mailing=1,
        mailed_at=event.at,
        expires_at=event.expires_at,
    )


def _roles(state: Invitation) -> tuple[RoleSlug, ...]:
    return () if isinstance(state, Absent | Forgotten) else state.roles


decider: Decider[Invitation, InvitationEvent] = Decider("invitation", Invitation, 2, Absent(), evolve)  # type: ignore[arg-type]  # a union is a type form


def stream(invitation_id: InvitationId) -> StreamName:
    return StreamName(f"invitation-{invitation_id}")


def make(
    state: Invitation,
    *,
    invitation_id: InvitationId,
    email: Sealed,
    name: Sealed | None,
    roles: Iterable[RoleName],
    invited_by: UserId | None,
    ttl: int,
    at: datetime,
) -> Sequence[InvitationEvent]:
    if not isinstance(state, Absent):
        return []
    return [
        InvitationMade(
            invitation_id=invitation_id,
            email=email,
            name=name,
            roles=tuple(sorted(set(roles))),
            invited_by=invited_by,
            expires_at=at + timedelta(seconds=ttl),
            at=at,
        )
    ]


def renew(state: Invitation, *, ttl: int, at: datetime) -> Sequence[InvitationEvent]:
    """Have it mailed once more, also when its time was over. Raises NoSuchInvitation, InvitationOver, MailLimited."""
    now = _not_over(state)
    wait_s = PAUSE_SECONDS - int((at - now.mailed_at).total_seconds())
    if now.mailing >= MOST_MAILINGS:
        raise InvitationOver
    if wait_s > 0:
        raise MailLimited(wait_s)
    return [InvitationRenewed(invitation_id=now.invitation_id, mailing=now.mailing + 1, expires_at=at + timedelta(seconds=ttl), at=at)]


def revoke(state: Invitation, *, at: datetime) -> Sequence[InvitationEvent]:
    """Raises NoSuchInvitation, InvitationOver for one that was accepted."""
    if isinstance(state, Revoked):
        return []
    return [InvitationRevoked(invitation_id=_not_over(state).invitation_id, at=at)]


def accept(state: Invitation, *, mailing: int, user_id: UserId, at: datetime) -> Sequence[InvitationEvent]:
    """Raises MailTokenInvalid for any but the newest link to an invitation that is open."""
    now = open_for(state, mailing, at=at)
    return [InvitationAccepted(invitation_id=now.invitation_id, user_id=user_id, at=at)]


def erase(state: Invitation, *, user_id: UserId, at: datetime) -> Sequence[InvitationEvent]:
    """Forget one that somebody accepted who is erased. Nothing happens to another's."""
    if not isinstance(state, Accepted) or state.user_id != user_id:
        return []
    return [InvitationErased(invitation_id=state.invitation_id, user_id=user_id, at=at)]


def open_for(state: Invitation, mailing: int, *, at: datetime) -> Open:
    if not isinstance(state, Open) or state.mailing != mailing or at >= state.expires_at:
        raise MailTokenInvalid
    return state


def _not_over(state: Invitation) -> Open:
    if isinstance(state, Absent | Forgotten):
        raise NoSuchInvitation
    if not isinstance(state, Open):
        raise InvitationOver
    return state
