"""Chance and time-ordered ids, from the operating system."""

import os
import time
from collections.abc import Callable, Iterator
from struct import iter_unpack
from uuid import UUID

from adapters.quick_uuid import QuickUuid

_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62


_DRAWN_AT_ONCE = 4_096


class SystemRandomness:
    """commands.ports.Randomness. Ids rise with time to a quarter of a microsecond (RFC 9562 6.2, method 3).

    The chance in ids is drawn for many at once; it is no secret. `bytes` always asks the operating system. `clock` gives nanoseconds
    since 1970.
    """

    def __init__(self, *, clock: Callable[[], int] = time.time_ns) -> None:
        self._clock = clock
        self._drawn: Iterator[tuple[int]] = iter(())
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        """A forked process must not make the ids its parent makes."""
        self._drawn = iter(())

    def uuid7(self) -> UUID:
        milliseconds, nanoseconds = divmod(self._clock(), 1_000_000)
        fraction = nanoseconds * 4096 // 1_000_000
        drawn = next(self._drawn, None)
        if drawn is None:
            self._drawn = iter_unpack("Q", os.urandom(_DRAWN_AT_ONCE))
            drawn = next(self._drawn)
        chance = drawn[0] >> 2
        value = (milliseconds & (2**48 - 1)) << 80 | _VERSION_7 | fraction << 64 | _VARIANT | chance
        return QuickUuid(value.to_bytes(16, "big"))

    def bytes(self, n: int) -> bytes:
        return os.urandom(n)
