"""Any stored hash, ours or another system's: what it is, and whether a password matches. The hashing process's side of it."""

from adapters.hashing import foreign
from adapters.hashing.argon2id import Argon2id

DJANGO = "argon2$argon2"
"""How Django begins: its own name for the algorithm, then the usual form without its first mark."""


def plain(encoded: str) -> str:
    """Argon2 in its usual form, others as they are."""
    return encoded.removeprefix("argon2") if encoded.startswith(DJANGO) else encoded


def is_argon2id(encoded: str) -> bool:
    return encoded.startswith("$argon2id$")


def matches(encoded: str, password: str, argon2id: Argon2id) -> bool:
    """Raises MemoryError."""
    other = None if is_argon2id(encoded) else foreign.read(encoded)
    return argon2id.matches(plain(encoded), password) if other is None else foreign.matches(other, password)
