"""What stands between a right password and a session, and what second factors need of the world."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable
from uuid import UUID

from msgspec import Struct

from domain.ids import AudienceName, FactorId, SessionId, UserId
from domain.session_events import AuthMethod
from domain.suspicion import Signal


class SignInChallenge(Struct, frozen=True, kw_only=True, array_like=True, tag="factor"):
    """How far a sign-in has come. Nothing is stored for it: the session it may begin has its id already, and begins once."""

    session_id: SessionId
    user_id: UserId
    token_epoch: int
    password_version: int
    audience: AudienceName
    device_id: UUID
    known_device: bool
    device_name: str | None
    methods: tuple[AuthMethod, ...]
    """What was shown so far."""
    signals: tuple[Signal, ...]
    """What was suspicious about it so far."""
    at: datetime

    def __repr__(self) -> str:
        return f"SignInChallenge(session_id={self.session_id})"


class PasskeySignIn(Struct, frozen=True, kw_only=True, array_like=True, tag="passkey"):
    """A sign-in without a password: who it is, the passkey will say."""

    session_id: SessionId
    audience: AudienceName
    device_id: UUID
    device_name: str | None
    at: datetime

    def __repr__(self) -> str:
        return f"PasskeySignIn(session_id={self.session_id})"


class PasskeyProof(Struct, frozen=True, kw_only=True, array_like=True, tag="proof"):
    """A passkey to be shown again, in a session there is."""

    session_id: SessionId
    at: datetime


class PasskeyOffer(Struct, frozen=True, kw_only=True, array_like=True, tag="offer"):
    """A passkey to be made, as this factor of this user."""

    user_id: UserId
    factor_id: FactorId
    at: datetime


class PasskeyForLink(Struct, frozen=True, kw_only=True, array_like=True, tag="link"):
    """A passkey to be shown with a link from a mail, which is about that asking or that address."""

    user_id: UserId
    about: UUID
    at: datetime


class CodePurpose(StrEnum):
    """What a code is mailed for, besides signing in."""

    ENABLE = "enable"
    PROVE = "prove"


class MailedCode(Struct, frozen=True, kw_only=True, array_like=True, tag="mailed"):
    """A code that was mailed to whoever is in this session."""

    code_id: UUID
    purpose: CodePurpose
    user_id: UserId
    session_id: SessionId
    at: datetime


Challenge = SignInChallenge | PasskeySignIn | PasskeyProof | PasskeyOffer | PasskeyForLink | MailedCode


@runtime_checkable
class Challenges(Protocol):
    """Challenges as callers carry them: sealed, so that nobody reads, makes or alters one."""

    def seal(self, challenge: Challenge) -> str: ...
    def open(self, token: str) -> Challenge | None:
        """Give what a genuine one says, however old; None for anything else."""
        ...


@runtime_checkable
class RecoveryMacs(Protocol):
    """Verifiers of recovery codes: keyed, so that a copy of the database gives no code away to whoever tries them all."""

    def verifier(self, user_id: UserId, code: str) -> bytes: ...
    def candidates(self, user_id: UserId, code: str) -> Sequence[bytes]:
        """Under every key still in use: what to look a code up by."""
        ...


@runtime_checkable
class MailCodes(Protocol):
    """Codes that are mailed: derived under a key, and stored nowhere (threats.md 12)."""

    def code(self, code_id: UUID, user_id: UserId) -> str: ...
    def matches(self, code: str, code_id: UUID, user_id: UserId) -> bool:
        """Under every key still in use, in constant time."""
        ...
