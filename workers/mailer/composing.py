"""From a row of the ledger to a mail: who it goes to and what it says, looked up when it is sent. One table."""

from collections.abc import Mapping

from adapters.mail.message import Mail
from commands.login_names import mailable, normalise_email
from commands.mail_budgets import NOTICES, to_address
from commands.ports.mail import Letter
from commands.transact import Read, read_states
from domain import api_key, erasure, factors
from domain.account import Account
from domain.factor_state import Factors
from domain.ids import KeyId, UserId
from domain.user import Active, Deleted, Gone
from workers.mailer import proofs
from workers.mailer.ledger import Due, facts_of
from workers.mailer.wording import write
from workers.mailer.writing import Addressed, Composer, Desk, account_about, address_of, of_deleted, state_of, when


async def compose(due: Due, desk: Desk) -> Mail | None:
    """Write a mail; None where by now there is nobody to write to, or nothing to say. Raises StoreUnavailable, CannotUnwrap."""
    addressed = await COMPOSERS[Letter(due.letter)](due, desk)
    if addressed is None:
        return None
    values = {"service": desk.ports.policy.service_name, **addressed.values}
    if addressed.token:
        values["link"] = f"{desk.link_url}/{addressed.page}#token={addressed.token}"
    language = addressed.language or desk.language
    worded = write(language, addressed.letter or due.letter, values)
    return Mail(
        mail_id=due.mail_id,
        to=mailable(addressed.to),
        sender=desk.sender,
        subject=worded.subject,
        text=worded.text,
        html=worded.html,
        language=language,
        at=due.created_at,
    )


async def _notice(due: Due, desk: Desk) -> Addressed | None:
    """To the account's address of now, about something that happened."""
    account = await account_about(due, desk)
    to = None if account is None else await address_of(account, desk)
    if account is None or to is None or await _is_too_much(due, account, to, desk):
        return None
    return Addressed(to, {"when": when(facts_of(due).at)}, language=account.locale)


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
    account, code_id = await account_about(due, desk), facts_of(due).subject_id
    to = None if account is None or not account.email_verified else await address_of(account, desk)
    if account is None or to is None or code_id is None:
        return None
    return Addressed(to, {"code": desk.ports.mail_codes.code(code_id, account.user_id)}, language=account.locale)


async def _key_ends(due: Due, desk: Desk) -> Addressed | None:
    """Only while it still ends then."""
    account, key_id = await account_about(due, desk), facts_of(due).subject_id
    to = None if account is None else await address_of(account, desk)
    if account is None or to is None or key_id is None:
        return None
    of_key: Read = (api_key.decider, api_key.stream(KeyId(key_id)))
    state = (await read_states(desk.ports, [of_key])).state(*of_key)
    if not isinstance(state, api_key.Live) or not state.told or await _is_too_much(due, account, to, desk):
        return None
    return Addressed(to, {"until": when(state.expires_at), "key": str(key_id)}, language=account.locale)


async def _deleted(due: Due, desk: Desk) -> Addressed | None:
    state = None if due.user_id is None else await state_of(UserId(due.user_id), desk)
    return await of_deleted(state, desk) if isinstance(state, Deleted) else None


async def _erasure_asked(due: Due, desk: Desk) -> Addressed | None:
    """Only while it can still be withdrawn, which takes signing in."""
    who = None if due.user_id is None else await state_of(UserId(due.user_id), desk)
    if not isinstance(who, Active):
        return None
    account = who.account
    of_erasure: Read = (erasure.decider, erasure.stream(account.user_id))
    state = (await read_states(desk.ports, [of_erasure])).state(*of_erasure)
    to = await address_of(account, desk)
    if to is None or not erasure.is_own(state):
        return None
    return Addressed(to, {"when": when(state.asked_at), "until": when(state.due_at)}, language=account.locale)


async def _erasure_begun(due: Due, desk: Desk) -> Addressed | None:
    """To the address it had, whosever that is by now: it is about that account."""
    state = None if due.user_id is None else await state_of(UserId(due.user_id), desk)
    if not isinstance(state, Deleted | Gone):
        return None
    to = await address_of(state.account, desk)
    until = state.restorable_until if isinstance(state, Deleted) else state.gone_at
    return None if to is None else Addressed(to, {"when": when(facts_of(due).at), "until": when(until)}, language=state.account.locale)


COMPOSERS: Mapping[Letter, Composer] = {
    Letter.VERIFY_EMAIL: proofs.verify,
    Letter.CONFIRM_EMAIL: proofs.verify,
    Letter.RESET_PASSWORD: proofs.reset,
    Letter.CHANGE_EMAIL: proofs.change,
    Letter.ADDRESS_IN_USE: proofs.change,
    Letter.EMAIL_CHANGED: proofs.undo,
    Letter.FINISH_REGISTRATION: proofs.finish,
    Letter.ACCOUNT_EXISTS: proofs.finish,
    Letter.PASSWORD_CHANGED: _notice,
    Letter.USERNAME_CHANGED: _notice,
    Letter.FACTOR_CHANGED: _notice,
    Letter.KEY_MADE: _notice,
    Letter.KEY_ENDS: _key_ends,
    Letter.ACCOUNT_DELETED: _deleted,
    Letter.INVITATION: proofs.invitation,
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
