"""What looks strange about a sign-in, and how strange that is."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType


class Signal(StrEnum):
    NEW_NETWORK = "new_network"
    """From where this account was not signed in to within the last 90 days."""
    NEW_DEVICE = "new_device"
    """On nothing that signed in to it within the last 90 days: no known device, no known user agent."""
    PRIOR_FAILURES = "prior_failures"
    """Right after several that failed."""


class Review(StrEnum):
    """How far a suspicious session has been looked into."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


FAILURES = 3
"""In a row before this sign-in, from where it came or from anywhere."""
WEIGHTS: Mapping[Signal, int] = MappingProxyType({Signal.NEW_NETWORK: 1, Signal.NEW_DEVICE: 1, Signal.PRIOR_FAILURES: 2})
SUSPICIOUS = 2
"""People travel, and they buy telephones: one of the two alone is nothing. Both at once, or failures before, are worth a look."""


def signals(*, first: bool, network_known: bool, device_known: bool, failures: int) -> tuple[Signal, ...]:
    """Name what is strange. `failures`: before this one. Of an account's first sign-in everything is new, so nothing is strange."""
    if first:
        return ()
    found = {
        Signal.NEW_NETWORK: not network_known,
        Signal.NEW_DEVICE: not device_known,
        Signal.PRIOR_FAILURES: failures >= FAILURES,
    }
    return tuple(signal for signal, holds in found.items() if holds)


def is_suspicious(found: Collection[Signal]) -> bool:
    """The score that ships: commands.ports.Score."""
    return sum(WEIGHTS[signal] for signal in found) >= SUSPICIOUS
