"""Somebody wants another address for their account: nothing is changed before its mailbox has proved it, and they themselves confirm."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from commands.begin_registration import PENDING_TTL, Begun, browser_token, is_browser_of
from commands.context import Context
from commands.held_names import HeldName, give_up, held_name, name_reads
from commands.login_names import normalise_email
from commands.mail_budgets import CHANGES, VERIFICATIONS, to_address
from commands.ports import ClaimMac, Letter, MailToken, MailTokenKind, Ports
from commands.register_user import EmailText
from commands.revoke_session import required
from commands.transact import ClaimLost, Read, Transaction, read_states, spend_action, transact
from domain import address_change, claim, factors, session, user
from domain.account import Account
from domain.claim import ClaimKind
from domain.errors import AskerRequired, EmailTaken, MailLimited, MailTokenInvalid, NoSuchUser
from domain.event import SealClass, Sealed
from domain.ids import ClaimId, SessionId, UserId
from domain.user import Active


class ChangeEmail(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    email: EmailText

    def __repr__(self) -> str:
        return "ChangeEmail(...)"


class PendingChange(Struct, frozen=True, kw_only=True):
    """What an asking left, sealed while it waits. A new password, a new address, the end of the session it was asked in, and a first
    second factor make it worth nothing."""

    user_id: UserId
    session_id: SessionId
    email: str
    email_claim: ClaimId
    token_epoch: int
    factorless: bool

    def __repr__(self) -> str:
        return f"PendingChange(user_id={self.user_id})"


class _New(Struct, frozen=True, kw_only=True):
    email: Sealed
    claim_id: ClaimId
    macs: tuple[ClaimMac, ...]


async def ask_to_change_email(command: ChangeEmail, ctx: Context, ports: Ports) -> Begun:
    """Have the new address asked. Nobody looks whether it has an account: the answer, and the work, are the same (threats.md 15).

    Raises InvalidEmail, EmailChangedLately, ActionTokenUsed, MailLimited where this account asked too often.
    """
    principal = required(ctx)
    address = normalise_email(command.email)
    of_user: Read = (user.decider, user.stream(principal.user_id))
    account = _active((await read_states(ports, [of_user])).state(*of_user))
    address_change.require_changeable(account)
    await spend_action(ctx, ports)
    if wait_s := await ports.mailbox.spend(to_address(CHANGES, str(principal.user_id))):
        raise MailLimited(wait_s)
    pending = PendingChange(
        user_id=account.user_id,
        session_id=principal.session_id,
        email=command.email,
        email_claim=account.email_claim,
        token_epoch=account.token_epoch,
        factorless=principal.factorless,
    )
    pending_id = ports.random.uuid7()
    content = msgspec.json.encode(pending).decode()
    budgets = to_address(VERIFICATIONS, address)
    await ports.mailbox.hold(pending_id, content, Letter.CHANGE_EMAIL, to=command.email, budgets=budgets, keep_s=PENDING_TTL)
    return Begun(registration=browser_token(pending_id, ports))


async def change_email(token: MailToken, registration: str | None, ctx: Context, ports: Ports) -> UserId:
    """Both have to come: the link, so the mailbox is read, and what its asker was answered. A link alone may have been got clicked.

    Raises MailTokenInvalid, AskerRequired, EmailTaken, EmailChangedLately.
    """
    if registration is None or not is_browser_of(registration, token.subject, ports):
        raise AskerRequired
    content = await ports.mailbox.pending(token.subject)
    if content is None:
        raise MailTokenInvalid
    pending = msgspec.json.decode(content, type=PendingChange)
    of_user, *others = _asking_reads(pending)
    account = _wanted_still(pending, await read_states(ports, [of_user, *others]))
    new = await _prepare(pending, ports)
    old = await held_name(ClaimKind.EMAIL, account.email, account.email_claim, account.user_id, ports)

    def decide(tx: Transaction) -> None:
        now = _wanted_still(pending, tx)
        _take(tx, new, now.user_id)
        changed = tx.record(*of_user, address_change.change(tx.state(*of_user), email=new.email, claim=new.claim_id, at=tx.at))
        if _active(changed).earlier is None:
            give_up(tx, old)

    try:
        await transact(ports, ctx, [of_user, *others, *_claims(new, old)], decide)
    except ClaimLost:
        raise EmailTaken from None
    await ports.mailbox.forget_pending(token.subject)
    return pending.user_id


async def release_earlier_email(user_id: UserId, ctx: Context, ports: Ports) -> bool:
    """Give up an earlier address once the change cannot be taken back. False where it is not so. Safe to repeat."""
    of_user: Read = (user.decider, user.stream(user_id))
    account = user.account_of((await read_states(ports, [of_user])).state(*of_user))
    if account.earlier is None:
        return False
    name = await held_name(ClaimKind.EMAIL, account.earlier.email, account.earlier.claim, user_id, ports)

    def decide(tx: Transaction) -> None:
        events = address_change.release(tx.state(*of_user), at=tx.at)
        tx.record(*of_user, events)
        if events:
            give_up(tx, name)

    return (await transact(ports, ctx, [of_user, *name_reads([name])], decide)).appended


def change_token(pending_id: UUID, *, asked_at: datetime, ports: Ports) -> str:
    expires_at = int(asked_at.astimezone(UTC).timestamp()) + PENDING_TTL
    return ports.mail_tokens.make(MailToken(kind=MailTokenKind.CHANGE, subject=pending_id, about=pending_id, expires_at=expires_at))


async def _prepare(pending: PendingChange, ports: Ports) -> _New:
    of_user = user.stream(pending.user_id)
    sealed = await ports.vault.seal(subject=of_user, seal_class=SealClass.PROFILE, stream=of_user, fields={"email": pending.email})
    macs = tuple(ports.macs.claim_candidates(ClaimKind.EMAIL, normalise_email(pending.email)))
    return _New(email=sealed["email"], claim_id=ClaimId(ports.random.uuid7()), macs=macs)


def _take(tx: Transaction, new: _New, user_id: UserId) -> None:
    stream = claim.stream(new.claim_id)
    taken = claim.take(tx.state(claim.decider, stream), claim_id=new.claim_id, kind=ClaimKind.EMAIL, user_id=user_id, at=tx.at)
    tx.record(claim.decider, stream, taken)
    for mac in new.macs:
        tx.take(mac, stream, holder=user_id)


def _claims(new: _New, old: HeldName) -> list[Read]:
    return [(claim.decider, claim.stream(new.claim_id)), *name_reads([old])]


def _asking_reads(pending: PendingChange) -> list[Read]:
    """What `_wanted_still` needs to be read; the account first."""
    return [
        (user.decider, user.stream(pending.user_id)),
        (session.decider, session.stream(pending.session_id)),
        (factors.decider, factors.stream(pending.user_id)),
    ]


def _wanted_still(pending: PendingChange, tx: Transaction) -> Account:
    """Give the account, where whoever asked could still ask: raises MailTokenInvalid where they were thrown out since, or where a factor
    was enrolled that they did not show."""
    of_user, of_session, of_factors = _asking_reads(pending)
    state = tx.state(*of_user)
    if not isinstance(state, Active) or (pending.factorless and tx.state(*of_factors).enrolled):
        raise MailTokenInvalid
    account = state.account
    if (account.email_claim, account.token_epoch) != (pending.email_claim, pending.token_epoch):
        raise MailTokenInvalid
    if not session.is_live(tx.state(*of_session), user_epoch=account.token_epoch, at=tx.at):
        raise MailTokenInvalid
    return account


def _active(state: user.User) -> Account:
    if not isinstance(state, Active):
        raise NoSuchUser
    return state.account
