"""Letters with links that prove an address, or give an account back."""

import msgspec

from commands.accept_invitation import open_invitation
from commands.change_email import PendingChange, change_token
from commands.finish_registration import pending_token
from commands.forgot_password import begin_reset
from commands.login_names import normalise_email
from commands.ports.mail import Letter, MailToken, MailTokenKind
from commands.read_profile import opened
from commands.undo_email import undo_token
from commands.verify_email import unproved, unproved_account, verify_token
from domain import user
from domain.account import Account
from domain.claim import ClaimKind
from domain.ids import UserId
from domain.user import Absent, Active, Deleted, Erased, Gone, Suspended
from workers.mailer.ledger import Due, facts_of
from workers.mailer.writing import Addressed, Desk, account_about, account_of, address_of, asked_for, context_of, of_deleted, state_of, when


async def verify(due: Due, desk: Desk) -> Addressed | None:
    wanted = asked_for(due, desk)
    if wanted is not None:
        account = await unproved_account(wanted, desk.ports)
    else:
        account = None if due.user_id is None else await unproved(UserId(due.user_id), desk.ports)
    to = None if account is None else await address_of(account, desk)
    if account is None or to is None:
        return None
    token = verify_token(account, asked_at=due.created_at, ports=desk.ports)
    if account.doubtful:
        return Addressed(to, {}, "verify", token, letter=Letter.VERIFY_EMAIL, language=account.locale)
    return Addressed(to, {}, "confirm", token, letter=Letter.CONFIRM_EMAIL, language=account.locale)


async def reset(due: Due, desk: Desk) -> Addressed | None:
    wanted = asked_for(due, desk)
    moved = None if wanted is None else await _moved_away(wanted, desk)
    if moved is not None:
        return moved
    begun = None if wanted is None else await begin_reset(wanted, due.mail_id, context_of(desk), desk.ports)
    to = None if begun is None else await address_of(begun.account, desk)
    if begun is None or to is None:
        return None
    token = MailToken(
        kind=MailTokenKind.RESET, subject=begun.account.user_id, about=begun.reset_id, expires_at=int(begun.expires_at.timestamp())
    )
    return Addressed(to, {}, "reset", desk.ports.mail_tokens.make(token), language=begun.account.locale)


async def finish(due: Due, desk: Desk) -> Addressed | None:
    """Here, and nowhere before, it shows whether the address has an account; and only its mailbox is told."""
    wanted = asked_for(due, desk)
    if wanted is None:
        return None
    holder = await _holder(wanted, desk)
    if holder is not None:
        return await _moved_away(wanted, desk) or await _to_holder(holder, Letter.ACCOUNT_EXISTS, desk)
    return Addressed(wanted, {}, "verify", pending_token(due.mail_id, asked_at=due.created_at, ports=desk.ports))


async def change(due: Due, desk: Desk) -> Addressed | None:
    """As above: whether the new address has an account is told to its mailbox alone, unless it is the asker's own already."""
    wanted = asked_for(due, desk)
    content = await desk.ports.mailbox.pending(due.mail_id)
    if wanted is None or content is None:
        return None
    holder = await _holder(wanted, desk)
    asker = msgspec.json.decode(content, type=PendingChange).user_id
    if holder is None:
        account = await account_of(asker, desk)
        token = change_token(due.mail_id, asked_at=due.created_at, ports=desk.ports)
        return None if account is None else Addressed(wanted, {}, "change", token, language=account.locale)
    return None if holder == asker else await _to_holder(holder, Letter.ADDRESS_IN_USE, desk)


async def undo(due: Due, desk: Desk) -> Addressed | None:
    """To the address before the last change; None once that was taken back, or cannot be any more."""
    account = await account_about(due, desk)
    return None if account is None else await _to_earlier(account, desk)


async def _moved_away(address: str, desk: Desk) -> Addressed | None:
    """Whoever asks with an address that an account had until lately is told where it went: the account's mail goes elsewhere by now."""
    holder = await _holder(address, desk)
    state = None if holder is None else await state_of(holder, desk)
    told = await _to_earlier(state.account, desk) if isinstance(state, Active | Suspended) else None
    return told if told is not None and normalise_email(told.to) == normalise_email(address) else None


async def _to_earlier(account: Account, desk: Desk) -> Addressed | None:
    if account.earlier is None:
        return None
    to = await opened(account.earlier.email, user.stream(account.user_id), "email", desk.ports.vault)
    values = {"when": when(account.earlier.changed_at), "until": when(account.earlier.undo_until)}
    if to is None:
        return None
    token = undo_token(account, account.earlier, desk.ports)
    return Addressed(to, values, "undo", token, letter=Letter.EMAIL_CHANGED, language=account.locale)


async def invitation(due: Due, desk: Desk) -> Addressed | None:
    """With the link of the newest mail about it: one sent late says nothing that is no longer so."""
    found = await open_invitation(facts_of(due).subject_id, desk.ports)
    if found is None:
        return None
    holder = await _holder(found.email, desk)
    if holder is not None:
        return await _to_holder(holder, Letter.ACCOUNT_EXISTS, desk)
    return Addressed(found.email, {"until": when(found.expires_at)}, "invite", found.token)


async def _holder(address: str, desk: Desk) -> UserId | None:
    found = await desk.ports.store.find_holder(desk.ports.macs.claim_candidates(ClaimKind.EMAIL, normalise_email(address)))
    return None if found.holder is None else UserId(found.holder)


async def _to_holder(holder: UserId, letter: Letter, desk: Desk) -> Addressed | None:
    """To whom has the address already, and as they spell it: the other spelling may be another's."""
    state = await state_of(holder, desk)
    if isinstance(state, Deleted):
        return await of_deleted(state, desk)
    if isinstance(state, Absent | Gone | Erased):
        return None
    to = await address_of(state.account, desk)
    return None if to is None else Addressed(to, {}, letter=letter, language=state.account.locale)
