"""A right password that is not enough: what is asked for next, and until when (threats.md 3)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from commands.ports import Ports, SignInChallenge
from commands.start_session import Entry
from commands.transact import Read, Transaction
from domain import factors, session, user
from domain.account import Account
from domain.errors import InvalidChallenge
from domain.factors import Factors
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


def ask_for_factor(challenge: SignInChallenge, enrolled: Factors, ports: Ports) -> FactorRequired:
    token = ports.challenges.seal(challenge)
    return FactorRequired(challenge=token, factors=tuple(choices(enrolled, token, ports)))


def choices(enrolled: Factors, token: str, ports: Ports) -> Iterator[FactorChoice]:
    """Give what an account can show, strongest first."""
    if enrolled.passkeys:
        yield FactorChoice(factor=Factor.PASSKEY, options=ports.passkeys.request_options(token))
    if enrolled.totp is not None:
        yield FactorChoice(factor=Factor.TOTP)
    if enrolled.recovery is not None and enrolled.recovery.remaining:
        yield FactorChoice(factor=Factor.RECOVERY_CODE)


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
