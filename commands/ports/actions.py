"""Action tokens as commands see them."""

from typing import Protocol, runtime_checkable

from msgspec import Struct

from domain.ids import ActionId, ActionName, AudienceName, SessionId, UserId


class ActionClaims(Struct, frozen=True, kw_only=True):
    """What an action token says, to us alone."""

    action_id: ActionId
    user_id: UserId
    session_id: SessionId
    epoch: int
    """Its user's token epoch when it was made."""
    audience: AudienceName
    action: ActionName
    binding: bytes
    """Digest of the method, the path and the parameters it is for."""
    amr: tuple[str, ...]
    """What was shown for it."""
    factorless: bool
    """It was made without a second factor because there was none: once there is one it is good for nothing."""
    expires_at: int
    """Seconds since the epoch."""


@runtime_checkable
class ActionTokens(Protocol):
    """Action tokens are sealed under keys of their own, and are no other kind of token (threats.md 14)."""

    def make(self, claims: ActionClaims) -> str: ...
    def read(self, token: str) -> ActionClaims | None:
        """Give what a genuine token says; its time is not looked at."""
        ...
