"""What a stored hash would cost to compare with, before anything is computed (threats.md 20)."""

import argon2
from argon2.exceptions import InvalidHashError

from adapters.hashing import foreign, stored
from adapters.hashing.argon2id import affordable
from commands.ports import Unusable


def unusable(encoded: str) -> Unusable | None:
    """Why it is not computed; None for one that is."""
    other = foreign.read(encoded)
    if other is None:
        return _of_argon2(stored.plain(encoded))
    if not foreign.long_enough(other):
        return Unusable.TOO_SHORT
    return None if other.affordable() else Unusable.TOO_COSTLY


def _of_argon2(encoded: str) -> Unusable | None:
    if not encoded.isascii() or len(encoded) > foreign.LONGEST:  # the library reads digits of any script
        return Unusable.UNKNOWN
    try:
        asked = argon2.extract_parameters(encoded)
    except InvalidHashError:
        return Unusable.UNKNOWN
    if asked.hash_len < foreign.SHORTEST_DIGEST:
        return Unusable.TOO_SHORT
    return None if affordable(encoded) else Unusable.TOO_COSTLY
