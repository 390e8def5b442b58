"""For services that take Minos tokens: verify locally, refuse what was revoked, and say so when that is not known."""

from minos_sdk.errors import (
    Blind,
    ExpiredToken,
    Forbidden,
    InvalidToken,
    KeysUnavailable,
    MinosError,
    Revoked,
    Unauthenticated,
    Unavailable,
)
from minos_sdk.feeds.feed import Feed
from minos_sdk.feeds.nats import NatsFeed
from minos_sdk.feeds.nats_connection import StaticLogin
from minos_sdk.feeds.polling import PollingFeed
from minos_sdk.feeds.sse import SseFeed
from minos_sdk.identity import Identity, Principal
from minos_sdk.permissions import allows, covers
from minos_sdk.policies import REFUSE, AcceptUntil, BlindPolicy, Introspect
from minos_sdk.ports import TokenSource
from minos_sdk.progress import Freshness
from minos_sdk.verifier import Verifier
from minos_sdk.watching import Watch

__all__ = [
    "REFUSE",
    "AcceptUntil",
    "Blind",
    "BlindPolicy",
    "ExpiredToken",
    "Feed",
    "Forbidden",
    "Freshness",
    "Identity",
    "Introspect",
    "InvalidToken",
    "KeysUnavailable",
    "MinosError",
    "NatsFeed",
    "PollingFeed",
    "Principal",
    "Revoked",
    "SseFeed",
    "StaticLogin",
    "TokenSource",
    "Unauthenticated",
    "Unavailable",
    "Verifier",
    "Watch",
    "allows",
    "covers",
]
