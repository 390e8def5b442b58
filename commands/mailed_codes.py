"""Mailed codes as a factor: asked for in a session, to turn them on or to prove who is there where there is nothing stronger."""

from msgspec import Struct

from commands.context import Context, Principal
from commands.enrol_totp import Enrolled
from commands.enrolling import Enroller, oneself
from commands.ports import CodePurpose, Letter, MailedCode, Ports
from commands.recovery_codes import FreshCodes, fresh_codes, record_first_codes
from commands.revoke_session import required
from commands.send_code import CodeSent, SentTo, send_code
from commands.show_factor import CodeText, Shower
from commands.show_mailed_code import show_mailed_code
from commands.sign_in_challenge import ChallengeText, require_young
from commands.standing import require_standing, standing_reads
from commands.transact import Done, Read, Transaction, read_states, spend_action, transact
from domain import factors
from domain.account import Account
from domain.errors import EmailNotVerified, InvalidChallenge, InvalidFactor
from domain.factor_guard import MAILED_CODE_LIFE
from domain.factor_state import Factors
from domain.factors import strongest
from domain.ids import FactorId, UserId
from domain.session_events import AuthMethod


class CodeAsked(Struct, frozen=True, kw_only=True):
    """The challenge comes back with the code, within `expires_in` seconds."""

    challenge: str
    sent_to: SentTo
    expires_in: int = MAILED_CODE_LIFE

    def __repr__(self) -> str:
        return "CodeAsked(...)"


class EnableMailedCodes(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    challenge: ChallengeText
    code: CodeText

    def __repr__(self) -> str:
        return "EnableMailedCodes(...)"


async def offer_mailed_codes(ctx: Context, ports: Ports) -> CodeAsked:
    """Mail a first code. Raises ReauthenticationRequired, ActionTokenUsed, EmailNotVerified, MailLimited."""
    who = oneself(ctx)
    await spend_action(ctx, ports)
    tx = await read_states(ports, who.reads)
    return await _asked(CodePurpose.ENABLE, who.require(tx), required(ctx), tx, ports)


async def enable_mailed_codes(command: EnableMailedCodes, ctx: Context, ports: Ports) -> Done[Enrolled]:
    """Count them as a factor from now on. Raises InvalidChallenge, InvalidFactor, FactorPaused, FactorBlocked, ReauthenticationRequired."""
    who = oneself(ctx)
    tx = await read_states(ports, who.reads)
    who.require(tx)
    asked = opened_code(command.challenge, CodePurpose.ENABLE, required(ctx), tx, ports)
    counter, session_mac = code_counter(who.user_id, ports), ports.macs.device(asked.session_id)
    shown = await show_mailed_code(command.code, asked.code_id, Shower(who.user_id, who.state(tx), counter, session_mac), ctx, ports)
    if shown.counted is not None:
        await ports.guard.take_back(counter, reading=shown.counted)
    codes, factor_id = await fresh_codes(who.user_id, ports), FactorId(ports.random.uuid7())
    return await transact(ports, ctx, who.reads, lambda tx: _enabled(tx, who, factor_id, codes))


def _enabled(tx: Transaction, who: Enroller, factor_id: FactorId, codes: FreshCodes) -> Enrolled:
    if not who.require(tx).email_verified:
        raise EmailNotVerified
    tx.record(factors.decider, who.stream, factors.enable_mailed_codes(who.state(tx), user_id=who.user_id, factor_id=factor_id, at=tx.at))
    return Enrolled(factor_id=factor_id, recovery_codes=record_first_codes(tx, who, codes))


async def ask_for_code(ctx: Context, ports: Ports) -> CodeAsked:
    """Mail a code that proves who is there. Raises InvalidFactor where they are no factor, or there is a stronger one; MailLimited."""
    principal = required(ctx)
    of_factors: Read = (factors.decider, factors.stream(principal.user_id))
    tx = await read_states(ports, [*standing_reads(principal), of_factors])
    _, account = require_standing(tx, principal)
    require_strongest(tx.state(*of_factors))
    return await _asked(CodePurpose.PROVE, account, principal, tx, ports)


def require_strongest(enrolled: Factors) -> None:
    """Raises InvalidFactor: a mailbox proves nothing for whoever has something better."""
    if strongest(enrolled) is not AuthMethod.EMAIL:
        raise InvalidFactor


def opened_code(token: str, purpose: CodePurpose, principal: Principal, tx: Transaction, ports: Ports) -> MailedCode:
    """Raises InvalidChallenge for what was not made for this session and purpose, or lately."""
    asked = ports.challenges.open(token)
    if not isinstance(asked, MailedCode) or (asked.purpose, asked.session_id) != (purpose, principal.session_id):
        raise InvalidChallenge
    require_young(asked.at, tx, life=MAILED_CODE_LIFE)
    return asked


def code_counter(user_id: UserId, ports: Ports) -> bytes:
    """One counter of wrong codes for an account, whatever they are shown for."""
    return ports.macs.login_name(f"factor:{user_id}")


async def _asked(purpose: CodePurpose, account: Account, principal: Principal, tx: Transaction, ports: Ports) -> CodeAsked:
    if not account.email_verified:
        raise EmailNotVerified
    asked = MailedCode(code_id=ports.random.uuid7(), purpose=purpose, user_id=account.user_id, session_id=principal.session_id, at=tx.at)
    sent: CodeSent = await send_code(Letter.PROOF_CODE, asked.code_id, account, ports, asker=principal.session_id)
    return CodeAsked(challenge=ports.challenges.seal(asked), sent_to=sent.sent_to)
