"""For a service's own tests: an authority in memory, whose clock stands still. No server, no network, no waiting."""

from minos_sdk.testing.authority import Authority
from minos_sdk.testing.clock import SettableClock
from minos_sdk.testing.feed import MemoryFeed
from minos_sdk.testing.keys import SigningKey, key_set
from minos_sdk.testing.signals import SignalFactory
from minos_sdk.testing.tokens import TokenFactory

__all__ = ["Authority", "MemoryFeed", "SettableClock", "SignalFactory", "SigningKey", "TokenFactory", "key_set"]
