"""Inviting somebody, once more, or not any more. Roles are given here, so nobody gives more than they may do themselves (threats.md 6)."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from commands.authority import caller_reads, require_within
from commands.context import Context
from commands.login_names import normalise_email
from commands.mail_budgets import INVITATIONS, to_address
from commands.ports import Ports
from commands.register_user import EmailText, NameText
from commands.transact import Done, Read, Transaction, earlier_answer, read_states, transact
from domain import invitation, role
from domain.errors import MailLimited, NoSuchInvitation, NoSuchRole, RegistrationClosed
from domain.event import SealClass
from domain.ids import InvitationId, RoleName, RoleSlug
from domain.invitation import Invitation
from domain.permission import Permission
from domain.role import Defined

MOST_ROLES = 16
INVITING, GRANTING = Permission("minos.users.invite"), Permission("minos.roles.grant")


class Invite(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`roles` come on top of the one that every new account has."""

    email: EmailText
    name: NameText | None = None
    roles: Annotated[tuple[RoleSlug, ...], Meta(max_length=MOST_ROLES)] = ()

    def __repr__(self) -> str:
        return f"Invite(roles={self.roles})"


class Invited(Struct, frozen=True, kw_only=True):
    """The link is in the mail, and nowhere else."""

    invitation_id: InvitationId


async def invite(command: Invite, ctx: Context, ports: Ports) -> Done[Invited]:
    """Whether the address has an account shows in its mailbox alone.

    Raises RegistrationClosed, InvalidEmail, MailLimited, NoSuchRole, RightsExceeded.
    """
    if ports.policy.registration == "closed":
        raise RegistrationClosed
    if (first := await earlier_answer(ports, ctx, Invited)) is not None:
        return first
    if wait_s := await ports.mailbox.spend(to_address(INVITATIONS, normalise_email(command.email))):
        raise MailLimited(wait_s)
    invitation_id = InvitationId(ports.random.uuid7())
    stream = invitation.stream(invitation_id)
    texts = {"email": command.email} if command.name is None else {"email": command.email, "name": command.name}
    sealed = await ports.vault.seal(subject=stream, seal_class=SealClass.PROFILE, stream=stream, fields=texts)

    def decide(tx: Transaction) -> Invited:
        _require_to_give(command.roles, ctx, tx)
        made = invitation.make(
            tx.state(invitation.decider, stream),
            invitation_id=invitation_id,
            email=sealed["email"],
            name=sealed.get("name"),
            roles=command.roles,
            invited_by=None if ctx.principal is None else ctx.principal.user_id,
            ttl=ports.policy.invitation_ttl,
            at=tx.at,
        )
        tx.record(invitation.decider, stream, made)
        return Invited(invitation_id=invitation_id)

    return await transact(ports, ctx, _reads(invitation_id, command.roles, ctx), decide, remember=Invited)


async def invite_again(invitation_id: InvitationId, ctx: Context, ports: Ports) -> Done[None]:
    """Have it mailed once more, with its whole time to go. Raises NoSuchInvitation, InvitationOver, MailLimited, RightsExceeded."""
    before = await _invitation(invitation_id, ports)
    stream = invitation.stream(invitation_id)

    def decide(tx: Transaction) -> None:
        _require_to_give(before.roles, ctx, tx)
        state = tx.state(invitation.decider, stream)
        tx.record(invitation.decider, stream, invitation.renew(state, ttl=ports.policy.invitation_ttl, at=tx.at))

    return await transact(ports, ctx, _reads(invitation_id, before.roles, ctx), decide)


async def revoke_invitation(invitation_id: InvitationId, ctx: Context, ports: Ports) -> Done[None]:
    """Its links are worth nothing from now on. Raises NoSuchInvitation, InvitationOver, RightsExceeded."""
    before = await _invitation(invitation_id, ports)
    stream = invitation.stream(invitation_id)

    def decide(tx: Transaction) -> None:
        require_within(_given(before.roles, tx), ctx, tx)
        tx.record(invitation.decider, stream, invitation.revoke(tx.state(invitation.decider, stream), at=tx.at))

    return await transact(ports, ctx, _reads(invitation_id, before.roles, ctx), decide)


def needed_to_invite(roles: Sequence[RoleName], tx: Transaction) -> tuple[Permission, ...]:
    """What whoever invites has to hold, now and when it is accepted: it grants these roles, also those that give nothing at Minos."""
    return (INVITING, GRANTING, *_given(roles, tx)) if roles else (INVITING,)


def _given(roles: Sequence[RoleName], tx: Transaction) -> list[Permission]:
    return [p for name in roles for p in role.gives(tx.state(role.decider, role.stream(name)))]


def _require_to_give(roles: tuple[RoleName, ...], ctx: Context, tx: Transaction) -> None:
    """Raise NoSuchRole, RightsExceeded."""
    if not all(isinstance(tx.state(role.decider, role.stream(name)), Defined) for name in roles):
        raise NoSuchRole
    require_within(needed_to_invite(roles, tx), ctx, tx)


def _reads(invitation_id: InvitationId, roles: tuple[RoleName, ...], ctx: Context) -> list[Read]:
    of_roles: list[Read] = [(role.decider, role.stream(name)) for name in roles]
    return [(invitation.decider, invitation.stream(invitation_id)), *of_roles, *caller_reads(ctx)]


async def _invitation(invitation_id: InvitationId, ports: Ports) -> invitation.Open | invitation.Accepted | invitation.Revoked:
    """Its roles never change. Raises NoSuchInvitation."""
    read: Read = (invitation.decider, invitation.stream(invitation_id))
    state: Invitation = (await read_states(ports, [read])).state(*read)
    if isinstance(state, invitation.Absent | invitation.Forgotten):
        raise NoSuchInvitation
    return state
