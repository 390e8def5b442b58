"""Secrets that stood in an answer, for whoever did not hear it (threats.md 4)."""

from typing import Protocol, runtime_checkable
from uuid import UUID

from msgspec import Struct

KEPT_S = 600
"""Seconds that a secret can be shown again."""


class Place(Struct, frozen=True, kw_only=True):
    """Where a secret is kept: which answer it stood in, and what it is closed under."""

    key: bytes
    """Of the answer, as the store knows it."""
    sealing: bytes
    answer_id: UUID

    def __repr__(self) -> str:
        return f"Place(answer_id={self.answer_id})"


@runtime_checkable
class ShownSecrets(Protocol):
    """Kept for minutes, sealed under a key that comes from the caller's Idempotency-Key: without that nobody opens it, nor do we."""

    async def keep(self, place: Place, secret: str) -> None:
        """Keep the secret of one answer for KEPT_S. Raises StoreUnavailable."""
        ...

    async def find(self, place: Place) -> str | None:
        """Give it again; None once its time is over, and for another caller's key. Raises StoreUnavailable."""
        ...
