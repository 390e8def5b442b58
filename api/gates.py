"""What limits one operation, put together once."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from adapters.limits.counters import Rule
from adapters.limits.policy import Kind

NOWHERE = "(none)"
"""What an address is called where there is nothing."""
TOLD = (Kind.ADDRESS, Kind.SESSION, Kind.ACCOUNT)
"""What a caller is told about on every answer. How much is left to a network would tell what the neighbours do."""
Claimable: TypeAlias = Literal[Kind.SESSION, Kind.ACCOUNT]
"""What somebody can say to be before it is known to be so."""


class Gate:
    """One operation and the rules of its class, whose counters it shares with the others of the class."""

    __slots__ = ("account", "address", "name", "network", "operation", "policy", "session")

    def __init__(self, operation: str | None, rules: Mapping[Kind, Rule]) -> None:
        self.operation = operation or NOWHERE
        self.address = rules.get(Kind.ADDRESS)
        self.network = rules.get(Kind.NETWORK)
        self.session = rules.get(Kind.SESSION)
        self.account = rules.get(Kind.ACCOUNT)
        self.name = rules.get(Kind.NAME)
        self.policy = b", ".join(rules[kind].policy() for kind in TOLD if kind in rules)
        """The value of a RateLimit-Policy field."""

    def claimable(self, kind: Claimable) -> Rule | None:
        return self.session if kind is Kind.SESSION else self.account
