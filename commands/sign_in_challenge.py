"""A right password that is not enough: what is asked for next, and until when (threats.md 3)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from commands.ports import Ports, SignInChallenge
from commands.start_session import Entry
from commands.transact import Read, Transaction
from domain import factors, session, user
from domain.account import Account
from domain.errors import InvalidChallenge
from domain.factor_policy import Requirement, meets
from domain.factors import Factors, strongest
from domain.session_events import AuthMethod
from domain.session_state import Absent
from domain.user import Active

LIFE = 300
"""Seconds."""
ChallengeText = Annotated[str, Meta(min_length=1, max_length=2_048, description="What the sign-in answered with.")]


class Factor(StrEnum):
    """What can be asked for after a password."""

    PASSKEY = "passkey"
    TOTP = "totp"
    RECOVERY_CODE = "recovery_code"


GIVES: Mapping[Factor, tuple[AuthMethod, ...]] = MappingProxyType(
    {
        Factor.PASSKEY: (AuthMethod.PASSKEY, AuthMethod.USER_VERIFIED),
        Factor.TOTP: (AuthMethod.OTP,),
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


def ask_for_more(challenge: SignInChallenge, enrolled: Factors, wanted: Requirement, ports: Ports) -> FactorRequired | EnrolmentRequired:
    """Say what is to be shown next, or enrolled where there is nothing to show."""
    token = ports.challenges.seal(challenge)
    asked = factors_to_show(enrolled, challenge.methods, wanted)
    if not asked:
        return EnrolmentRequired(challenge=token, may_enrol=tuple(may_enrol(challenge.methods, wanted)))
    return FactorRequired(challenge=token, factors=tuple(_choice(factor, token, ports) for factor in asked))


def factors_to_show(enrolled: Factors, shown: Iterable[AuthMethod], wanted: Requirement) -> Sequence[Factor]:
    """Name what an account can show that is enough, strongest first.

    Where nothing it has would do, the strongest of that is asked for first: who merely knows the password enrols nothing beside it
    (threats.md 5). Nothing is left to show once that was shown, or where there is nothing.
    """
    methods = tuple(shown)
    has = _shown_by(enrolled)
    if enough := _enough(has, methods, wanted):
        return enough
    if enrolled.enrolled and strongest(enrolled) not in methods:
        return [factor for factor in has if strongest(enrolled) in GIVES[factor]]
    return []


def may_enrol(shown: Sequence[AuthMethod], wanted: Requirement) -> Sequence[Factor]:
    """Name what would be enough if it were enrolled now."""
    return _enough(ENROLLED_HERE, shown, wanted)


def _enough(among: Iterable[Factor], shown: Sequence[AuthMethod], wanted: Requirement) -> list[Factor]:
    return [factor for factor in among if meets(wanted, (*shown, *GIVES[factor]))]


def _shown_by(enrolled: Factors) -> list[Factor]:
    has = {
        Factor.PASSKEY: bool(enrolled.passkeys),
        Factor.TOTP: enrolled.totp is not None,
        Factor.RECOVERY_CODE: enrolled.recovery is not None and enrolled.recovery.remaining > 0,
    }
    return [factor for factor in GIVES if has[factor]]


def choices(enrolled: Factors, token: str, ports: Ports) -> Iterator[FactorChoice]:
    """Give what an account can show, strongest first."""
    return (_choice(factor, token, ports) for factor in _shown_by(enrolled))


def _choice(factor: Factor, token: str, ports: Ports) -> FactorChoice:
    return FactorChoice(factor=factor, options=ports.passkeys.request_options(token) if factor is Factor.PASSKEY else UNSET)


def open_challenge(token: str, ports: Ports) -> SignInChallenge:
    """Raises InvalidChallenge for what was not made here."""
    challenge = ports.challenges.open(token)
    if not isinstance(challenge, SignInChallenge):
        raise InvalidChallenge
    return challenge


def require_young(given_at: datetime, tx: Transaction) -> None:
    """Raises InvalidChallenge."""
    if tx.at - given_at >= timedelta(seconds=LIFE):
        raise InvalidChallenge


def challenge_reads(challenge: SignInChallenge) -> list[Read]:
    """What `require_open` needs to be read, and the factors beside it."""
    return [
        (session.decider, session.stream(challenge.session_id)),
        (user.decider, user.stream(challenge.user_id)),
        (factors.decider, factors.stream(challenge.user_id)),
    ]


def require_open(tx: Transaction, challenge: SignInChallenge) -> Account:
    """Give the account, where all is as it was when the password was right. Raises InvalidChallenge."""
    who = tx.state(user.decider, user.stream(challenge.user_id))
    unbegun = isinstance(tx.state(session.decider, session.stream(challenge.session_id)), Absent)
    require_young(challenge.at, tx)
    if not isinstance(who, Active) or not unbegun:
        raise InvalidChallenge
    account = who.account
    if (account.token_epoch, account.password_version) != (challenge.token_epoch, challenge.password_version):
        raise InvalidChallenge
    return account
