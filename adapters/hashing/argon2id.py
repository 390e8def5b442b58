"""Argon2id (RFC 9106) of passwords: what is computed, at which cost, and what is not."""

import unicodedata
from base64 import b64encode
from secrets import token_bytes

import argon2
from argon2.exceptions import Argon2Error, HashingError, InvalidHashError
from argon2.low_level import error_to_str

MOST_MEMORY_KIB = 262_144
MOST_PASSES = 16
MOST_LANES = 8
"""A stored hash that asks for more is not computed: an imported one could otherwise stop the service (threats.md 20)."""
_NO_MEMORY = error_to_str(-22)  # ARGON2_MEMORY_ALLOCATION_ERROR of argon2.h; the binding has no name for it


class Argon2id:
    """Passwords are compared in NFKC, in UTF-8, whole however long. One that is not text of Unicode is one like any other."""

    def __init__(self, *, memory_kib: int, passes: int) -> None:
        self._argon2 = argon2.PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1, hash_len=32, salt_len=16)

    def hash(self, password: str) -> str:
        """Raises MemoryError."""
        try:
            return self._argon2.hash(_normal(password))
        except HashingError as error:
            raise MemoryError(_NO_MEMORY) from error

    def matches(self, encoded: str, password: str) -> bool:
        """Raises MemoryError; a stored hash that cannot be computed for any other reason matches nothing."""
        try:
            return self._argon2.verify(encoded, _normal(password))
        except (Argon2Error, ValueError) as error:
            if error.args == (_NO_MEMORY,):
                raise MemoryError(_NO_MEMORY) from error
            return False

    def nobodys(self) -> str:
        """A stored hash of today's cost that no password matches: its salt and its value are dice."""
        salt, value = (b64encode(token_bytes(size)).decode().rstrip("=") for size in (16, 32))
        cost = self._argon2
        return f"$argon2id$v=19$m={cost.memory_cost},t={cost.time_cost},p={cost.parallelism}${salt}${value}"

    def outdated(self, encoded: str) -> bool:
        """Whether it was made with other parameters than today's."""
        return self._argon2.check_needs_rehash(encoded)


def affordable(encoded: str) -> bool:
    if not encoded.isascii():  # the library reads digits of any script
        return False
    try:
        asked = argon2.extract_parameters(encoded)
    except InvalidHashError:
        return False
    return asked.memory_cost <= MOST_MEMORY_KIB and asked.time_cost <= MOST_PASSES and asked.parallelism <= MOST_LANES


def _normal(password: str) -> bytes:
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
