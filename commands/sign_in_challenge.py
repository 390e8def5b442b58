"""A right password that is not enough: what is asked for next, and until when (threats.md 3)."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from commands.ports import Ports, SignInChallenge
from commands.transact import Read, Transaction
from domain import factors, session, user
from domain.errors import InvalidChallenge
from domain.factors import Factors
from domain.session import Absent
from domain.user import Account, Active

LIFE = 300
"""Seconds."""
ChallengeText = Annotated[str, Meta(min_length=1, max_length=2_048, description="What the sign-in answered with.")]


class Factor(StrEnum):
    """What can be asked for after a password."""

    TOTP = "totp"
    RECOVERY_CODE = "recovery_code"


class FactorChoice(Struct, frozen=True, kw_only=True):
    factor: Factor


class FactorRequired(Struct, frozen=True, kw_only=True):
    """Any one of `factors` completes the sign-in within `expires_in` seconds."""

    challenge: str
    factors: tuple[FactorChoice, ...]
    expires_in: int = LIFE

    def __repr__(self) -> str:
        return f"FactorRequired(factors={[choice.factor for choice in self.factors]})"


def ask_for_factor(challenge: SignInChallenge, enrolled: Factors, ports: Ports) -> FactorRequired:
    return FactorRequired(challenge=ports.challenges.seal(challenge), factors=choices(enrolled))


def choices(enrolled: Factors) -> tuple[FactorChoice, ...]:
    """Give what an account can show, strongest first."""
    kinds = [
        *([Factor.TOTP] if enrolled.totp is not None else []),
        *([Factor.RECOVERY_CODE] if enrolled.recovery is not None and enrolled.recovery.remaining else []),
    ]
    return tuple(FactorChoice(factor=kind) for kind in kinds)


def open_challenge(token: str, ports: Ports) -> SignInChallenge:
    """Raises InvalidChallenge for what was not made here."""
    challenge = ports.challenges.open(token)
    if challenge is None:
        raise InvalidChallenge
    return challenge


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
    if not isinstance(who, Active) or not unbegun or tx.at - challenge.at >= timedelta(seconds=LIFE):
        raise InvalidChallenge
    account = who.account
    if (account.token_epoch, account.password_version) != (challenge.token_epoch, challenge.password_version):
        raise InvalidChallenge
    return account
