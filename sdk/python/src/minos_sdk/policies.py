"""What to do with a good token while it is not known what was revoked lately. None of them accepts for ever."""

from dataclasses import dataclass, field

from minos_sdk import given
from minos_sdk.ports import Introspector


@dataclass(frozen=True, slots=True)
class Refuse:
    """503, until it is known again."""


@dataclass(frozen=True, slots=True)
class AcceptUntil:
    """Accept while no more than `age` seconds passed since all was known; then refuse."""

    age: float

    def __post_init__(self) -> None:
        given.number("age", self.age, most=3_600, why="accepting without knowing what was revoked needs an end")


@dataclass(frozen=True, slots=True)
class Introspect:
    """Ask the issuer about each token; refuse when it does not answer."""

    introspector: Introspector = field(repr=False)

    def __post_init__(self) -> None:
        given.able("introspector", self.introspector, "introspect", wanted="Introspection(issuer, credentials)")


BlindPolicy = Refuse | AcceptUntil | Introspect


def check_policy(policy: object, *, optional: bool = False) -> None:
    """Raises TypeError for what would be refused as no policy while blind, and seen by nobody before. None is `optional`."""
    if not isinstance(policy, BlindPolicy) and not (optional and policy is None):
        raise TypeError(f"on_blind is REFUSE, AcceptUntil(...) or Introspect(...); this is {type(policy).__name__}")


REFUSE = Refuse()
