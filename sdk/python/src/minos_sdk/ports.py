"""What the parts ask of one another: another implementation of any of these fits."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol, runtime_checkable

from minos_sdk import given
from minos_sdk.key_set import Key

_SINCE_BOOT: int | None = getattr(time, "CLOCK_BOOTTIME", None)
monotonic: Callable[[], float] = time.monotonic if _SINCE_BOOT is None else partial(time.clock_gettime, _SINCE_BOOT)
"""Goes on while the machine sleeps, where there is such a clock (Linux): what was known before is old then."""


class Clock(Protocol):
    """`time`: seconds since 1970. `monotonic`: seconds that only ever rise at the pace of time."""

    @property
    def time(self) -> Callable[[], float]: ...

    @property
    def monotonic(self) -> Callable[[], float]: ...


class SystemClock:
    """The clocks of this machine, as attributes: a method around them would cost more than they do."""

    def __init__(self) -> None:
        self.time: Callable[[], float] = time.time
        self.monotonic: Callable[[], float] = monotonic


def clock_of(clock: Clock | None) -> Clock:
    """Give this one, or the machine's."""
    if clock is None:
        return SystemClock()
    given.able("clock", clock, "time", "monotonic", wanted="a clock, with time() and monotonic()")
    return clock


class KeySource(Protocol):
    """An issuer's public keys for one purpose."""

    def get(self, kid: str) -> Key | None:
        """Give a key without waiting. Raises KeysUnavailable when there are none, or none that are fresh enough."""
        ...

    async def find(self, kid: str) -> Key | None:
        """Give a key, after one look for new ones where it makes sense. Raises KeysUnavailable."""
        ...

    async def run(self) -> None:
        """Keep the keys fresh until cancelled."""
        ...

    def on_change(self, callback: Callable[[], None]) -> None:
        """Have `callback` called whenever a key came or went."""
        ...


class TokenSource(Protocol):
    """Where this service's own tokens come from."""

    async def token(self, audience: str) -> str:
        """Give an access token for an audience that is good for a while."""
        ...


@runtime_checkable
class RenewsTokens(Protocol):
    """A source that can be told that a token is good no more although it has not ended, as `ServiceTokens` can."""

    async def renewed(self, audience: str, *, instead_of: str | None = None) -> str: ...


async def was_refused(source: TokenSource, audience: str, token: str) -> bool:
    """Have the next token be another one; False where the source cannot. Raises what the source raises."""
    if not isinstance(source, RenewsTokens):
        return False
    await source.renewed(audience, instead_of=token)
    return True


class Introspector(Protocol):
    async def introspect(self, token: str) -> Mapping[str, object]:
        """Ask the issuer about a token; the answer of RFC 7662 2.2. Raises MinosError or OSError when there is none."""
        ...


StopCalling = Callable[[], None]
"""Call it to have a callback called no more."""
