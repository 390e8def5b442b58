"""A right password that is not enough: what is asked for next, and until when (threats.md 3)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from commands.ports import Letter, Ports, SignInChallenge
from commands.send_code import SentTo, masked_address, send_code
from commands.start_session import Entry
from commands.transact import Read, Transaction
from domain import factors, session, user
from domain.account import Account
from domain.errors import InvalidChallenge, MailLimited
from domain.factor_policy import Requirement, meets
from domain.factor_state import Factors
from domain.factors import strongest
from domain.session_events import AuthMethod
from domain.session_state import Absent
from domain.suspicion import Signal
from domain.user import Active

LIFE = 300
"""Seconds."""
ChallengeText = Annotated[str, Meta(min_length=1, max_length=2_048, description="What the sign-in answered with.")]


class Factor(StrEnum):
    """What can be asked for after a password."""

    PASSKEY = "passkey"
    TOTP = "totp"
    EMAIL = "email"
    RECOVERY_CODE = "recovery_code"


GIVES: Mapping[Factor, tuple[AuthMethod, ...]] = MappingProxyType(
    {
        Factor.PASSKEY: (AuthMethod.PASSKEY, AuthMethod.USER_VERIFIED),
        Factor.TOTP: (AuthMethod.OTP,),
        Factor.EMAIL: (AuthMethod.EMAIL,),
        Factor.RECOVERY_CODE: (AuthMethod.RECOVERY,),
    }
)
"""What showing each is worth, strongest first."""
ENROLLED_HERE = (Factor.PASSKEY, Factor.TOTP)
"""What can be enrolled while signing in."""


class FactorChoice(Struct, frozen=True, kw_only=True, omit_defaults=True):
    factor: Factor
    options: dict[str, Any] | UnsetType = UNSET
    """For a passkey: what `navigator.credentials.get()` takes."""
    sent_to: SentTo | UnsetType = UNSET
    """For a mailed code: which address. It is mailed where there is nothing stronger to show, or at `auth/login/factor/resend`."""


class FactorRequired(Struct, frozen=True, kw_only=True):
    """Any one of `factors` completes the sign-in within `expires_in` seconds."""

    challenge: str
    factors: tuple[FactorChoice, ...]
    expires_in: int = LIFE

    def __repr__(self) -> str:
        return f"FactorRequired(factors={[choice.factor for choice in self.factors]})"


class EnrolmentRequired(Struct, frozen=True, kw_only=True):
    """Enrolling any one of `may_enrol` completes the sign-in within `expires_in` seconds."""

    challenge: str
    may_enrol: tuple[Factor, ...]
    expires_in: int = LIFE

    def __repr__(self) -> str:
        return f"EnrolmentRequired(may_enrol={self.may_enrol})"


def challenge_for(entry: Entry, *, known_device: bool, at: datetime) -> SignInChallenge:
    """Say how far a sign-in has come, for the session it may begin."""
    return SignInChallenge(
        session_id=entry.session_id,
        user_id=entry.account.user_id,
        token_epoch=entry.account.token_epoch,
        password_version=entry.account.password_version,
        audience=entry.audience,
        device_id=entry.device_id,
        known_device=known_device,
        device_name=entry.device_name,
        methods=entry.methods,
        signals=entry.signals,
        at=at,
    )


async def ask_for_more(
    challenge: SignInChallenge, account: Account, enrolled: Factors, wanted: Requirement, ports: Ports
) -> FactorRequired | EnrolmentRequired:
    """Say what is to be shown next, or enrolled where there is nothing to show. A code that is the first choice goes out at once."""
    token = ports.challenges.seal(challenge)
    mail = may_be_mailed(account, enrolled, challenge.signals, ports)
    asked = factors_to_show(enrolled, challenge.methods, wanted, mail=mail)
    if not asked:
        return EnrolmentRequired(challenge=token, may_enrol=tuple(may_enrol(challenge.methods, wanted)))
    if asked[0] is Factor.EMAIL:
        with suppress(MailLimited):  # it can be asked for again
            asker = challenge.device_id if challenge.known_device else None
            await send_code(Letter.SIGN_IN_CODE, challenge.session_id, account, ports, asker=asker)
    shown = [_choice(factor, token, ports) for factor in asked if factor is not Factor.EMAIL]
    if Factor.EMAIL in asked:
        shown.insert(asked.index(Factor.EMAIL), FactorChoice(factor=Factor.EMAIL, sent_to=await masked_address(account, ports)))
    return FactorRequired(challenge=token, factors=tuple(shown))


def may_be_mailed(account: Account, enrolled: Factors, signals: Sequence[Signal], ports: Ports) -> bool:
    """Whether a code by mail can be shown: as a factor of the account, or once, for a sign-in that is strange."""
    return account.email_verified and (enrolled.mailed is not None or is_doubted(account, enrolled, signals, ports))


def is_doubted(account: Account, enrolled: Factors, signals: Sequence[Signal], ports: Ports) -> bool:
    """Whether more than a password is asked for because the sign-in is strange: by setting, of who could show nothing else."""
    return ports.policy.suspicious_sign_in_code and bool(signals) and account.email_verified and not enrolled.enrolled


def factors_to_show(enrolled: Factors, shown: Iterable[AuthMethod], wanted: Requirement, *, mail: bool) -> Sequence[Factor]:
    """Name what an account can show that is enough, strongest first.

    Where nothing it has would do, the strongest of that is asked for first: who merely knows the password enrols nothing beside it
    (threats.md 5), nor from a strange place without the code that is mailed for that. Nothing is left to show once that was shown, or
    where there is nothing.
    """
    methods = tuple(shown)
    has = _shown_by(enrolled, mail=mail)
    if enough := _enough(has, methods, wanted):
        return enough
    best = AuthMethod.EMAIL if mail and not enrolled.enrolled else strongest(enrolled)
    return [] if best in methods else [factor for factor in has if best in GIVES[factor]]


def may_enrol(shown: Sequence[AuthMethod], wanted: Requirement) -> Sequence[Factor]:
    """Name what would be enough if it were enrolled now."""
    return _enough(ENROLLED_HERE, shown, wanted)


def _enough(among: Iterable[Factor], shown: Sequence[AuthMethod], wanted: Requirement) -> list[Factor]:
    return [factor for factor in among if meets(wanted, (*shown, *GIVES[factor]))]


def _shown_by(enrolled: Factors, *, mail: bool) -> list[Factor]:
    has = {
        Factor.PASSKEY: bool(enrolled.passkeys),
        Factor.TOTP: enrolled.totp is not None,
        Factor.EMAIL: mail,
        Factor.RECOVERY_CODE: enrolled.recovery is not None and enrolled.recovery.remaining > 0,
    }
    return [factor for factor in GIVES if has[factor]]


def choices(enrolled: Factors, token: str, ports: Ports) -> Iterator[FactorChoice]:
    """Give what an account can show beside a mailed link, strongest first: never a mailed code (threats.md 3)."""
    return (_choice(factor, token, ports) for factor in _shown_by(enrolled, mail=False))


def _choice(factor: Factor, token: str, ports: Ports) -> FactorChoice:
    return FactorChoice(factor=factor, options=ports.passkeys.request_options(token) if factor is Factor.PASSKEY else UNSET)


def open_challenge(token: str, ports: Ports) -> SignInChallenge:
    """Raises InvalidChallenge for what was not made here."""
    challenge = ports.challenges.open(token)
    if not isinstance(challenge, SignInChallenge):
        raise InvalidChallenge
    return challenge


def require_young(given_at: datetime, tx: Transaction, *, life: int = LIFE) -> None:
    """Raises InvalidChallenge."""
    if tx.at - given_at >= timedelta(seconds=life):
        raise InvalidChallenge


def challenge_reads(challenge: SignInChallenge) -> list[Read]:
    """What `require_open` needs to be read, and the factors beside it."""
    return [
        (session.decider, session.stream(challenge.session_id)),
        (user.decider, user.stream(challenge.user_id)),
        (factors.decider, factors.stream(challenge.user_id)),
    ]


def require_open(tx: Transaction, challenge: SignInChallenge, *, life: int = LIFE) -> Account:
    """Give the account, where all is as it was when the password was right. Raises InvalidChallenge."""
    who = tx.state(user.decider, user.stream(challenge.user_id))
    unbegun = isinstance(tx.state(session.decider, session.stream(challenge.session_id)), Absent)
    require_young(challenge.at, tx, life=life)
    if not isinstance(who, Active) or not unbegun:
        raise InvalidChallenge
    account = who.account
    if (account.token_epoch, account.password_version) != (challenge.token_epoch, challenge.password_version):
        raise InvalidChallenge
    return account
