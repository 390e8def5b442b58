"""What stands between a right password and a session, and what second factors need of the world."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable
from uuid import UUID

from msgspec import Struct

from domain.ids import AudienceName, SessionId, UserId
from domain.session_events import AuthMethod


class SignInChallenge(Struct, frozen=True, kw_only=True, array_like=True):
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
    at: datetime

    def __repr__(self) -> str:
        return f"SignInChallenge(session_id={self.session_id})"


@runtime_checkable
class Challenges(Protocol):
    """Challenges as callers carry them: sealed, so that nobody reads, makes or alters one."""

    def seal(self, challenge: SignInChallenge) -> str: ...
    def open(self, token: str) -> SignInChallenge | None:
        """Give what a genuine one says, however old; None for anything else."""
        ...


@runtime_checkable
class RecoveryMacs(Protocol):
    """Verifiers of recovery codes: keyed, so that a copy of the database gives no code away to whoever tries them all."""

    def verifier(self, user_id: UserId, code: str) -> bytes: ...
    def candidates(self, user_id: UserId, code: str) -> Sequence[bytes]:
        """Under every key still in use: what to look a code up by."""
        ...
