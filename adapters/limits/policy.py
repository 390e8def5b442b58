"""What the limits are: classes of operations, and for each how often one caller may ask, by what the caller is counted under."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

DEFAULT = "default"
"""The class of operations that are in no other, and of addresses where there is nothing."""


class Kind(StrEnum):
    """What somebody is counted under. Nothing a caller merely says is one of them but for a name, which counts per network."""

    ADDRESS = "address"
    """One IPv4 address, or the /64 of an IPv6 address: whoever has one has all of it."""
    NETWORK = "network"
    """A /24 or a /48."""
    SESSION = "session"
    """One session of a person, by a token of it that verified: who holds a copy of one uses up nothing of the others."""
    ACCOUNT = "account"
    """A caller whose token verified, or a service account that proved itself."""
    NAME = "name"
    """A login name as tried from one network: strangers elsewhere use nothing of it up."""


class Rate(NamedTuple):
    """A bucket of `amount` that fills again within `seconds`: so many at once, and on average no more."""

    amount: int
    seconds: int

    @property
    def interval(self) -> float:
        """Seconds after which there is room for one more."""
        return self.seconds / self.amount

    def __str__(self) -> str:
        return f"{self.amount}/{spelled(self.seconds)}"


class LimitClass(Struct, frozen=True, kw_only=True):
    name: str
    operations: tuple[str, ...]
    rates: Mapping[Kind, tuple[Rate, ...]]
    """Without an entry a kind is not limited."""


class Limits(Struct, frozen=True, kw_only=True):
    """Every class by name; each operation is in one at most."""

    classes: Mapping[str, LimitClass]

    def of(self, operation: str | None) -> LimitClass:
        """Give the class of an operation; None is an address where there is nothing."""
        return next((found for found in self.classes.values() if operation in found.operations), self.classes[DEFAULT])


_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def spelled(seconds: int) -> str:
    """Write a duration with the largest unit that leaves a whole number."""
    unit, size = next((unit, size) for unit, size in _UNITS if seconds % size == 0)
    return f"{seconds // size}{unit}"
