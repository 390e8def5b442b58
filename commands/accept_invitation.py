"""Whoever reads the mailbox that was invited opens the account, with what its inviter may give at that moment."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from commands.context import Context
from commands.invitations import needed_to_invite
from commands.mailed_link import MailTokenText
from commands.open_account import NewAccount, Registered, open_account
from commands.ports import MailToken, MailTokenKind, Ports
from commands.read_profile import opened
from commands.register_user import NameText, PasswordText, UsernameText
from commands.transact import Read, Transaction, read_states
from domain import administrators, invitation, mailbox_proof, role, user
from domain.errors import Contended, MailTokenInvalid, RegistrationClosed
from domain.ids import InvitationId, RoleName, UserId
from domain.invitation import Open
from domain.permission import within
from domain.role import ADMIN
from domain.user import Active
from domain.user_events import RegisteredBy

ATTEMPTS = 8


class AcceptInvitation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`name` replaces the one the inviter wrote."""

    token: MailTokenText
    password: PasswordText
    username: UsernameText | None = None
    name: NameText | None = None

    def __repr__(self) -> str:
        return "AcceptInvitation(...)"


class _InviterMoved(Exception):
    """The inviter holds other roles than those that were read."""


class _Accepting(Struct, frozen=True, kw_only=True):
    """An open invitation, and which roles its inviter was seen with."""

    invitation: Open
    mailing: int
    inviter_roles: tuple[RoleName, ...]

    @property
    def reads(self) -> list[Read]:
        roles = {*self.invitation.roles, *self.inviter_roles}
        reads: list[Read] = [(invitation.decider, invitation.stream(self.invitation.invitation_id))]
        reads += [(role.decider, role.stream(name)) for name in sorted(roles)]
        if self.invitation.invited_by is not None:
            reads.append((user.decider, user.stream(self.invitation.invited_by)))
        if ADMIN in self.invitation.roles:
            reads.append((administrators.decider, administrators.STREAM))
        return reads

    def decide(self, tx: Transaction, user_id: UserId) -> None:
        """Raises MailTokenInvalid, also where its inviter is gone or may not give these roles any more."""
        self._require_inviter(tx)
        stream = invitation.stream(self.invitation.invitation_id)
        accepted = invitation.accept(tx.state(invitation.decider, stream), mailing=self.mailing, user_id=user_id, at=tx.at)
        tx.record(invitation.decider, stream, accepted)
        of_user = user.stream(user_id)
        tx.record(user.decider, of_user, mailbox_proof.prove_new(tx.state(user.decider, of_user), at=tx.at))
        if ADMIN in self.invitation.roles:
            admins = tx.state(administrators.decider, administrators.STREAM)
            tx.record(administrators.decider, administrators.STREAM, administrators.add(admins, user_id, at=tx.at))

    def _require_inviter(self, tx: Transaction) -> None:
        if self.invitation.invited_by is None:
            return
        inviter = tx.state(user.decider, user.stream(self.invitation.invited_by))
        if not isinstance(inviter, Active):
            raise MailTokenInvalid
        if inviter.account.roles != self.inviter_roles:
            raise _InviterMoved
        held = [p for name in self.inviter_roles for p in role.gives(tx.state(role.decider, role.stream(name)))]
        if not within(needed_to_invite(self.invitation.roles, tx), held):
            raise MailTokenInvalid


async def accept_invitation(command: AcceptInvitation, ctx: Context, ports: Ports) -> Registered:
    """Open the account; its address is proved by this.

    Raises MailTokenInvalid, RegistrationClosed, EmailTaken, UsernameTaken, InvalidUsername, PasswordUnacceptable, Overloaded, Contended.
    """
    if ports.policy.registration == "closed":
        raise RegistrationClosed
    token = ports.mail_tokens.read(command.token)
    if token is None or token.kind is not MailTokenKind.INVITATION:
        raise MailTokenInvalid
    for _ in range(ATTEMPTS):
        found = await _accepting(InvitationId(token.subject), token.about.int, ports)
        wanted = await _wanted(command, found.invitation, ports)
        try:
            return (await open_account(wanted, ctx, ports, alongside=found.reads, decide_alongside=found.decide)).result
        except _InviterMoved:
            continue
    raise Contended


async def _accepting(invitation_id: InvitationId, mailing: int, ports: Ports) -> _Accepting:
    read: Read = (invitation.decider, invitation.stream(invitation_id))
    tx = await read_states(ports, [read])
    found = invitation.open_for(tx.state(*read), mailing, at=tx.at)
    if found.invited_by is None:
        return _Accepting(invitation=found, mailing=mailing, inviter_roles=())
    of_inviter: Read = (user.decider, user.stream(found.invited_by))
    inviter = (await read_states(ports, [of_inviter])).state(*of_inviter)
    if not isinstance(inviter, Active):
        raise MailTokenInvalid
    return _Accepting(invitation=found, mailing=mailing, inviter_roles=inviter.account.roles)


async def _wanted(command: AcceptInvitation, found: Open, ports: Ports) -> NewAccount:
    stream = invitation.stream(found.invitation_id)
    email = await opened(found.email, stream, "email", ports.vault)
    if email is None:
        raise MailTokenInvalid
    return NewAccount(
        email=email,
        password=command.password,
        username=command.username,
        name=command.name or await opened(found.name, stream, "name", ports.vault),
        roles=(*found.roles, RoleName(ports.policy.default_role)),
        registered_by=RegisteredBy.ADMINISTRATOR,
    )


class Mailable(Struct, frozen=True, kw_only=True):
    """What a mail about an invitation says."""

    email: str
    token: str
    expires_at: datetime

    def __repr__(self) -> str:
        return "Mailable(...)"


async def open_invitation(invitation_id: UUID | None, ports: Ports) -> Mailable | None:
    """Give what its mail says; None where it is over."""
    if invitation_id is None:
        return None
    read: Read = (invitation.decider, invitation.stream(InvitationId(invitation_id)))
    tx = await read_states(ports, [read])
    state = tx.state(*read)
    if not isinstance(state, Open) or tx.at >= state.expires_at:
        return None
    email = await opened(state.email, read[1], "email", ports.vault)
    about, expires_at = UUID(int=state.mailing), int(state.expires_at.timestamp())
    token = MailToken(kind=MailTokenKind.INVITATION, subject=invitation_id, about=about, expires_at=expires_at)
    return None if email is None else Mailable(email=email, token=ports.mail_tokens.make(token), expires_at=state.expires_at)
