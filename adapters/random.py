"""Chance and time-ordered ids, from the operating system."""

import os
import time
from uuid import UUID

_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62


class SystemRandomness:
    """commands.ports.Randomness. Ids rise with time to a quarter of a microsecond (RFC 9562 6.2, method 3)."""

    def uuid7(self) -> UUID:
        milliseconds, nanoseconds = divmod(time.time_ns(), 1_000_000)
        fraction = nanoseconds * 4096 // 1_000_000
        chance = int.from_bytes(os.urandom(8), "big") >> 2
        return UUID(int=(milliseconds & (2**48 - 1)) << 80 | _VERSION_7 | fraction << 64 | _VARIANT | chance)

    def bytes(self, n: int) -> bytes:
        return os.urandom(n)
