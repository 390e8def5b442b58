"""For services that take Minos tokens: verify locally, refuse what was revoked, and say so when that is not known."""

from minos_sdk.action_tokens import ActionTokens
from minos_sdk.answers_of_minos import FactorRequired, TokenPair, Verdict
from minos_sdk.api_keys import ApiKeys
from minos_sdk.asgi import MinosMiddleware
from minos_sdk.call_errors import CallFailed, CallRefused, SignedOut, Unreachable
from minos_sdk.client import MinosClient
from minos_sdk.client_credentials import ClientKey, ClientSecret
from minos_sdk.codes import Code
from minos_sdk.erasures import Erasures
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
from minos_sdk.feeds.nats_login import StaticLogin
from minos_sdk.feeds.polling import PollingFeed
from minos_sdk.feeds.sse import SseFeed
from minos_sdk.gateway import GatewayVerifier
from minos_sdk.identity import Identity, Principal
from minos_sdk.introspection import Introspection, SyncIntrospection
from minos_sdk.permissions import allows, covers
from minos_sdk.policies import REFUSE, AcceptUntil, BlindPolicy, Introspect
from minos_sdk.ports import TokenSource
from minos_sdk.progress import Freshness
from minos_sdk.rules import (
    Rule,
    require_any_permission,
    require_any_role,
    require_any_scope,
    require_fresh_auth,
    require_permission,
    require_role,
    require_scope,
    require_that,
    require_user,
    service_only,
)
from minos_sdk.service_tokens import ServiceTokens, SyncServiceTokens
from minos_sdk.steps import Retries
from minos_sdk.sync_api_keys import SyncApiKeys
from minos_sdk.sync_client import SyncMinosClient
from minos_sdk.verifier import Verifier
from minos_sdk.watching import Watch

__all__ = [
    "REFUSE",
    "AcceptUntil",
    "ActionTokens",
    "ApiKeys",
    "Blind",
    "BlindPolicy",
    "CallFailed",
    "CallRefused",
    "ClientKey",
    "ClientSecret",
    "Code",
    "Erasures",
    "ExpiredToken",
    "FactorRequired",
    "Feed",
    "Forbidden",
    "Freshness",
    "GatewayVerifier",
    "Identity",
    "Introspect",
    "Introspection",
    "InvalidToken",
    "KeysUnavailable",
    "MinosClient",
    "MinosError",
    "MinosMiddleware",
    "NatsFeed",
    "PollingFeed",
    "Principal",
    "Retries",
    "Revoked",
    "Rule",
    "ServiceTokens",
    "SignedOut",
    "SseFeed",
    "StaticLogin",
    "SyncApiKeys",
    "SyncIntrospection",
    "SyncMinosClient",
    "SyncServiceTokens",
    "TokenPair",
    "TokenSource",
    "Unauthenticated",
    "Unavailable",
    "Unreachable",
    "Verdict",
    "Verifier",
    "Watch",
    "allows",
    "covers",
    "require_any_permission",
    "require_any_role",
    "require_any_scope",
    "require_fresh_auth",
    "require_permission",
    "require_role",
    "require_scope",
    "require_that",
    "require_user",
    "service_only",
]
