"""For services that take Minos tokens: verify locally, refuse what was revoked, and say so when that is not known."""

from minos_sdk.errors import (
    Blind,
    ExpiredToken,
    Forbidden,
    InvalidToken,
    KeysUnavailable,
    MinosError,
    Revoked,
    Unauthenticated,
    Unavailable,
)
from minos_sdk.identity import Identity, Principal
from minos_sdk.permissions import allows, covers

__all__ = [
    "Blind",
    "ExpiredToken",
    "Forbidden",
    "Identity",
    "InvalidToken",
    "KeysUnavailable",
    "MinosError",
    "Principal",
    "Revoked",
    "Unauthenticated",
    "Unavailable",
    "allows",
    "covers",
]
