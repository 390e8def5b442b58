"""What to do with a good token while it is not known what was revoked lately. None of them accepts for ever."""

from dataclasses import dataclass, field
from math import isfinite

from minos_sdk.ports import Introspector


@dataclass(frozen=True, slots=True)
class Refuse:
    """503, until it is known again."""


@dataclass(frozen=True, slots=True)
class AcceptUntil:
    """Accept while no more than `age` seconds passed since all was known; then refuse."""

    age: float

    def __post_init__(self) -> None:
        if not (isfinite(self.age) and 0 <= self.age <= 3_600):
            raise ValueError("accepting without knowing what was revoked needs an end: give seconds, at most an hour")


@dataclass(frozen=True, slots=True)
class Introspect:
    """Ask the issuer about each token; refuse when it does not answer."""

    introspector: Introspector = field(repr=False)


BlindPolicy = Refuse | AcceptUntil | Introspect


def check_policy(policy: object) -> None:
    """Raises TypeError for what would be refused as no policy while blind, and seen by nobody before."""
    if not isinstance(policy, BlindPolicy):
        raise TypeError(f"what to do while blind is REFUSE, AcceptUntil(...) or Introspect(...), not {policy!r}")


REFUSE = Refuse()
