"""A factor is demanded of somebody who has none that would do: it is enrolled with the challenge of the sign-in, which that completes."""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec import Struct

from commands.complete_sign_in import entry_of, forgive
from commands.context import Context
from commands.enrol_passkey import OfferedPasskey, RegisterPasskey, made_passkey, offer_passkey_to
from commands.enrol_totp import Enrolled, OfferedTotp, confirmation, offer_totp_to
from commands.enrolling import Enroller
from commands.factor_policy_head import POLICY_READ
from commands.ports import Attestation, Ports, SignInChallenge
from commands.register_user import NameText
from commands.show_factor import CodeText
from commands.sign_in_challenge import (
    GIVES,
    ChallengeText,
    Factor,
    challenge_reads,
    factors_to_show,
    may_be_mailed,
    may_enrol,
    open_challenge,
    require_open,
)
from commands.start_session import start_session
from commands.token_answer import SignedIn
from commands.transact import Transaction, read_states
from domain import factors
from domain.account import Account
from domain.errors import InvalidChallenge
from domain.factor_policy import meets


class OfferAtSignIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    challenge: ChallengeText

    def __repr__(self) -> str:
        return "OfferAtSignIn(...)"


class ConfirmTotpAtSignIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    challenge: ChallengeText
    code: CodeText

    def __repr__(self) -> str:
        return "ConfirmTotpAtSignIn(...)"


class RegisterPasskeyAtSignIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`challenge` is the sign-in's, `offer` the one of the passkey."""

    challenge: ChallengeText
    offer: ChallengeText
    attestation: Attestation
    name: NameText | None = None

    def __repr__(self) -> str:
        return "RegisterPasskeyAtSignIn(...)"


@dataclass(frozen=True, slots=True)
class EnrolledAndIn:
    enrolled: Enrolled
    signed_in: SignedIn


async def offer_totp_at_sign_in(command: OfferAtSignIn, ctx: Context, ports: Ports) -> OfferedTotp:
    """Raises InvalidChallenge, also where a factor has to be shown before one is enrolled."""
    return (await offer_totp_to(_newcomer(open_challenge(command.challenge, ports), Factor.TOTP, ports), ctx, ports)).result


async def offer_passkey_at_sign_in(command: OfferAtSignIn, ports: Ports) -> OfferedPasskey:
    """Raises as `offer_totp_at_sign_in`."""
    return await offer_passkey_to(_newcomer(open_challenge(command.challenge, ports), Factor.PASSKEY, ports), ports)


async def confirm_totp_at_sign_in(command: ConfirmTotpAtSignIn, ctx: Context, ports: Ports) -> EnrolledAndIn:
    """Enrol the seed that was shown and begin the session, in one append. Raises InvalidChallenge, InvalidFactor."""
    challenge = open_challenge(command.challenge, ports)
    who = _newcomer(challenge, Factor.TOTP, ports)
    tx = await read_states(ports, who.reads)
    account = who.require(tx)
    confirm = await confirmation(command.code, who, tx, ports)
    return await _begin(challenge, Factor.TOTP, account, ctx, ports, enrol=lambda tx: confirm.decide(tx, who))


async def register_passkey_at_sign_in(command: RegisterPasskeyAtSignIn, ctx: Context, ports: Ports) -> EnrolledAndIn:
    """Register the passkey that was made and begin the session, in one append.

    Raises InvalidChallenge, InvalidFactor, TooManyFactors.
    """
    challenge = open_challenge(command.challenge, ports)
    who = _newcomer(challenge, Factor.PASSKEY, ports)
    account = who.require(await read_states(ports, who.reads))
    made = await made_passkey(RegisterPasskey(challenge=command.offer, attestation=command.attestation, name=command.name), who, ports)
    return await _begin(challenge, Factor.PASSKEY, account, ctx, ports, enrol=lambda tx: made.decide(tx, who))


def _newcomer(challenge: SignInChallenge, factor: Factor, ports: Ports) -> Enroller:
    """Whoever has come as far as this challenge, while nothing they have to show would do and this factor would."""
    of_factors = (factors.decider, factors.stream(challenge.user_id))

    def require(tx: Transaction) -> Account:
        account = require_open(tx, challenge)
        wanted = tx.state(*POLICY_READ).asks(account.roles, challenge.audience)
        enrolled = tx.state(*of_factors)
        mail = may_be_mailed(account, enrolled, challenge.signals, ports)
        if meets(wanted, challenge.methods) or factors_to_show(enrolled, challenge.methods, wanted, mail=mail):
            raise InvalidChallenge
        if factor not in may_enrol(challenge.methods, wanted):
            raise InvalidChallenge
        return account

    reads = (*challenge_reads(challenge), POLICY_READ)
    return Enroller(challenge.user_id, reads, require, lambda tx: require_open(tx, challenge))


async def _begin(
    challenge: SignInChallenge, factor: Factor, account: Account, ctx: Context, ports: Ports, *, enrol: Callable[[Transaction], Enrolled]
) -> EnrolledAndIn:
    """Enrol and begin the session, in one append."""
    enrolled: list[Enrolled] = []

    def decide(tx: Transaction) -> None:
        enrolled[:] = [enrol(tx)]

    entry = entry_of(challenge, account, (*challenge.methods, *GIVES[factor]))
    signed_in = await start_session(entry, ctx, ports, alongside=decide)
    await forgive(challenge, account, ctx, ports)
    return EnrolledAndIn(enrolled[0], signed_in)
