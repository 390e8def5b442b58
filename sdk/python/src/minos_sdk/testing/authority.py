"""All that a service's tests need of an authority, in one object."""

from typing import Any

from minos_sdk import given
from minos_sdk.http import checked_issuer
from minos_sdk.key_cache import FixedKeys
from minos_sdk.testing.clock import SettableClock
from minos_sdk.testing.feed import MemoryFeed
from minos_sdk.testing.keys import SigningKey, key_set
from minos_sdk.testing.signals import SignalFactory
from minos_sdk.testing.tokens import TokenFactory
from minos_sdk.verifier import Verifier


class Authority:
    """An issuer with a key for each purpose, a clock that stands still, tokens, and a feed of what is taken back.

    authority = Authority(audience="shop")
    token = authority.tokens.user(roles=["clerk"])
    authority.feed.define_role("shop", "clerk", ["orders.read"])
    identity = await authority.verifier().verify(token)
    """

    def __init__(self, *, issuer: str = "https://auth.test", audience: str = "test", clock: SettableClock | None = None) -> None:
        checked_issuer(issuer)
        given.audience("audience", audience)
        self.issuer = issuer
        self.audience = audience
        self.clock = clock or SettableClock()
        self.key, self.signals_key, self.internal_key = (SigningKey.new() for _ in range(3))
        self.keys = FixedKeys(key_set(self.key))
        self.signal_keys = FixedKeys(key_set(self.signals_key))
        self.internal_keys = FixedKeys(key_set(self.internal_key))
        self.tokens = TokenFactory(issuer=issuer, audience=audience, key=self.key, internal_key=self.internal_key, clock=self.clock)
        self.signals = SignalFactory(issuer=issuer, key=self.signals_key, clock=self.clock)
        self.feed = MemoryFeed(self.clock)

    def verifier(self, **options: Any) -> Verifier:
        """Give a verifier that is ready as it is; starting and closing it is allowed and not needed. `options`: Verifier's own."""
        given: dict[str, Any] = {
            "issuer": self.issuer, "audience": self.audience, "feed": self.feed, "keys": self.keys, "signal_keys": self.signal_keys,
            "clock": self.clock,
        }  # fmt: skip
        verifier = Verifier(**(given | options))
        if verifier.feed is self.feed:
            self.feed.attach(verifier.receiver)
        return verifier
