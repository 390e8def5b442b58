"""From a row of the ledger to a mail: who it goes to and what it says, looked up when it is sent. One table."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from adapters.mail.message import Mail
from adapters.mailbox import MailBoxes
from commands.accept_invitation import open_invitation
from commands.context import Context
from commands.finish_registration import pending_token
from commands.forgot_password import begin_reset
from commands.login_names import mailable, normalise_email
from commands.mail_budgets import NOTICES, to_address
from commands.ports import Ports
from commands.ports.mail import Letter, MailToken, MailTokenKind
from commands.read_profile import opened
from commands.transact import Read, read_states
from commands.verify_email import unproved, unproved_account, verify_token
from domain import erasure, factors, user
from domain.account import Account
from domain.claim import ClaimKind
from domain.factor_state import Factors
from domain.ids import CorrelationId, UserId
from domain.user import Absent, Deleted, Gone, User
from workers.mailer.ledger import Due, facts_of
from workers.mailer.wording import write


@dataclass(frozen=True, slots=True)
class Desk:
    """What a mailer writes with."""

    ports: Ports
    boxes: MailBoxes
    sender: str
    language: str
    link_url: str
    """Where links lead: a setting, never anything a request said."""


@dataclass(frozen=True, slots=True)
class Addressed:
    """A letter about to be written. `page` and `token` make its link."""

    to: str
    values: Mapping[str, str] = field(repr=False)
    page: str = ""
    token: str = field(default="", repr=False)
    letter: Letter | None = None
    """Where it is another one than was asked for."""


Composer = Callable[[Due, Desk], Awaitable[Addressed | None]]


async def compose(due: Due, desk: Desk) -> Mail | None:
    """Write a mail; None where by now there is nobody to write to, or nothing to say. Raises StoreUnavailable, CannotUnwrap."""
    addressed = await COMPOSERS[Letter(due.letter)](due, desk)
    if addressed is None:
        return None
    values = {"service": desk.ports.policy.service_name, **addressed.values}
    if addressed.token:
        values["link"] = f"{desk.link_url}/{addressed.page}#token={addressed.token}"
    worded = write(desk.language, addressed.letter or due.letter, values)
    return Mail(
        mail_id=due.mail_id,
        to=mailable(addressed.to),
        sender=desk.sender,
        subject=worded.subject,
        text=worded.text,
        html=worded.html,
        language=desk.language,
        at=due.created_at,
    )


async def _notice(due: Due, desk: Desk) -> Addressed | None:
    """To the account's address of now, about something that happened."""
    account = await _account(due, desk)
    to = None if account is None else await _address(account, desk)
    if account is None or to is None or await _is_too_much(due, account, to, desk):
        return None
    return Addressed(to, {"when": _when(facts_of(due).at)})


async def _is_too_much(due: Due, account: Account, to: str, desk: Desk) -> bool:
    """Whoever opens an account for another's address must not have them written to at will. Tries of one mail count once."""
    if account.email_verified or due.attempts > 1:
        return False
    return bool(await desk.ports.mailbox.spend(to_address(NOTICES, normalise_email(to))))


async def _codes_made(due: Due, desk: Desk) -> Addressed | None:
    """Those that came with a first factor are told of with that."""
    if due.user_id is None:
        return None
    of_factors: Read = (factors.decider, factors.stream(UserId(due.user_id)))
    state: Factors = (await read_states(desk.ports, [of_factors])).state(*of_factors)
    at = facts_of(due).at
    if any(each is not None and each.enrolled_at == at for each in (state.totp, state.mailed, *state.passkeys)):
        return None
    return await _notice(due, desk)


async def _code(due: Due, desk: Desk) -> Addressed | None:
    """To an address that was proved: the code is derived here, and nowhere kept."""
    account, code_id = await _account(due, desk), facts_of(due).subject_id
    to = None if account is None or not account.email_verified else await _address(account, desk)
    if account is None or to is None or code_id is None:
        return None
    return Addressed(to, {"code": desk.ports.mail_codes.code(code_id, account.user_id)})


async def _verify(due: Due, desk: Desk) -> Addressed | None:
    asked_for = _asked_for(due, desk)
    if asked_for is not None:
        account = await unproved_account(asked_for, desk.ports)
    else:
        account = None if due.user_id is None else await unproved(UserId(due.user_id), desk.ports)
    to = None if account is None else await _address(account, desk)
    if account is None or to is None:
        return None
    token = verify_token(account, asked_at=due.created_at, ports=desk.ports)
    if account.doubtful:
        return Addressed(to, {}, "verify", token, letter=Letter.VERIFY_EMAIL)
    return Addressed(to, {}, "confirm", token, letter=Letter.CONFIRM_EMAIL)


async def _reset(due: Due, desk: Desk) -> Addressed | None:
    asked_for = _asked_for(due, desk)
    reset = None if asked_for is None else await begin_reset(asked_for, due.mail_id, _context(desk), desk.ports)
    to = None if reset is None else await _address(reset.account, desk)
    if reset is None or to is None:
        return None
    token = MailToken(
        kind=MailTokenKind.RESET, subject=reset.account.user_id, about=reset.reset_id, expires_at=int(reset.expires_at.timestamp())
    )
    return Addressed(to, {}, "reset", desk.ports.mail_tokens.make(token))


async def _finish(due: Due, desk: Desk) -> Addressed | None:
    """Here, and nowhere before, it shows whether the address has an account; and only its mailbox is told."""
    asked_for = _asked_for(due, desk)
    if asked_for is None:
        return None
    held = await desk.ports.store.find_holder(desk.ports.macs.claim_candidates(ClaimKind.EMAIL, normalise_email(asked_for)))
    if held.holder is not None:
        return await _to_holder(UserId(held.holder), desk)
    return Addressed(asked_for, {}, "verify", pending_token(due.mail_id, asked_at=due.created_at, ports=desk.ports))


async def _deleted(due: Due, desk: Desk) -> Addressed | None:
    state = None if due.user_id is None else await _state(UserId(due.user_id), desk)
    return await _of_deleted(state, desk) if isinstance(state, Deleted) else None


async def _of_deleted(state: Deleted, desk: Desk) -> Addressed | None:
    to = await _address(state.account, desk)
    values = {"when": _when(state.deleted_at), "until": _when(state.restorable_until)}
    return None if to is None else Addressed(to, values, letter=Letter.ACCOUNT_DELETED)


async def _erasure_asked(due: Due, desk: Desk) -> Addressed | None:
    """Only while it can still be withdrawn."""
    account = await _account(due, desk)
    if account is None:
        return None
    of_erasure: Read = (erasure.decider, erasure.stream(account.user_id))
    state = (await read_states(desk.ports, [of_erasure])).state(*of_erasure)
    to = await _address(account, desk)
    if to is None or not isinstance(state, erasure.Asked):
        return None
    return Addressed(to, {"when": _when(state.asked_at), "until": _when(state.due_at)})


async def _erasure_begun(due: Due, desk: Desk) -> Addressed | None:
    """To the address it had, whosever that is by now: it is about that account."""
    state = None if due.user_id is None else await _state(UserId(due.user_id), desk)
    to = None if state is None or isinstance(state, Absent) else await _address(state.account, desk)
    return None if to is None else Addressed(to, {"when": _when(facts_of(due).at)})


async def _to_holder(user_id: UserId, desk: Desk) -> Addressed | None:
    """To whom an account of their own is no use, since they have one; and in their spelling: the other one may be another's."""
    state = await _state(user_id, desk)
    if isinstance(state, Deleted):
        return await _of_deleted(state, desk)
    to = None if isinstance(state, Absent | Gone) else await _address(state.account, desk)
    return None if to is None else Addressed(to, {}, letter=Letter.ACCOUNT_EXISTS)


async def _invitation(due: Due, desk: Desk) -> Addressed | None:
    """With the link of the newest mail about it: one sent late says nothing that is no longer so."""
    found = await open_invitation(facts_of(due).subject_id, desk.ports)
    if found is None:
        return None
    held = await desk.ports.store.find_holder(desk.ports.macs.claim_candidates(ClaimKind.EMAIL, normalise_email(found.email)))
    if held.holder is not None:
        return await _to_holder(UserId(held.holder), desk)
    return Addressed(found.email, {"until": _when(found.expires_at)}, "invite", found.token)


def _asked_for(due: Due, desk: Desk) -> str | None:
    """Give the address somebody asked for a letter to; it may be nobody's here."""
    return None if due.address is None else desk.boxes.open(due.address, due.mail_id)


def _context(desk: Desk) -> Context:
    return Context(correlation_id=CorrelationId(desk.ports.random.uuid7()), system="mailer")


async def _account(due: Due, desk: Desk) -> Account | None:
    return None if due.user_id is None else await _account_of(UserId(due.user_id), desk)


async def _account_of(user_id: UserId, desk: Desk) -> Account | None:
    """None also for one whose address may be another's by now."""
    state = await _state(user_id, desk)
    return None if isinstance(state, Absent | Gone) else state.account


async def _state(user_id: UserId, desk: Desk) -> User:
    of_user: Read = (user.decider, user.stream(user_id))
    state: User = (await read_states(desk.ports, [of_user])).state(*of_user)
    return state


async def _address(account: Account, desk: Desk) -> str | None:
    """None once it has been erased."""
    return await opened(account.email, user.stream(account.user_id), "email", desk.ports.vault)


def _when(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


COMPOSERS: Mapping[Letter, Composer] = {
    Letter.VERIFY_EMAIL: _verify,
    Letter.CONFIRM_EMAIL: _verify,
    Letter.RESET_PASSWORD: _reset,
    Letter.FINISH_REGISTRATION: _finish,
    Letter.ACCOUNT_EXISTS: _finish,
    Letter.PASSWORD_CHANGED: _notice,
    Letter.FACTOR_CHANGED: _notice,
    Letter.KEY_MADE: _notice,
    Letter.ACCOUNT_DELETED: _deleted,
    Letter.INVITATION: _invitation,
    Letter.ERASURE_ASKED: _erasure_asked,
    Letter.ERASURE_BEGUN: _erasure_begun,
    Letter.SUSPICIOUS_SIGN_IN: _notice,
    Letter.RECOVERY_CODES_MADE: _codes_made,
    Letter.RECOVERY_CODE_USED: _notice,
    Letter.PASSKEY_COPIED: _notice,
    Letter.CODES_GUESSED: _notice,
    Letter.SIGN_IN_CODE: _code,
    Letter.PROOF_CODE: _code,
}
