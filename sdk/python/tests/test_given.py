"""Nonsense is refused where it is given, and named: not when somebody calls, and never taken for something else."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf, nan
from typing import Any

import fastapi
import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

import minos_sdk
import minos_sdk.fastapi
import minos_sdk.litestar
from minos_sdk import (
    AcceptUntil,
    ActionTokens,
    ApiKeys,
    ClientKey,
    ClientSecret,
    Erasures,
    GatewayVerifier,
    Introspect,
    Introspection,
    MinosClient,
    MinosMiddleware,
    NatsFeed,
    PollingFeed,
    Retries,
    Rule,
    ServiceTokens,
    SseFeed,
    StaticLogin,
    SyncApiKeys,
    SyncIntrospection,
    SyncMinosClient,
    SyncServiceTokens,
    Verifier,
)
from minos_sdk.testing import Authority, MemoryFeed, SettableClock, SigningKey

URL = "https://auth.example"
ACCOUNT = ClientSecret("client_orders", "mcs_secret")
TOKENS = ServiceTokens(URL, ACCOUNT)
AUTHORITY = Authority(audience="orders")
VERIFIER = AUTHORITY.verifier()
GATEWAY = GatewayVerifier(issuer=AUTHORITY.issuer, audience="orders", keys=AUTHORITY.internal_keys)
KEYS = ApiKeys(AUTHORITY.issuer, "orders", ACCOUNT)
MINOS = minos_sdk.fastapi.Minos(VERIFIER, actions=ActionTokens(URL, TOKENS))

URLS = [
    "",
    None,
    b"https://auth.example",
    "auth.example",
    "http://auth.example",
    "https://",
    " https://auth.example",
    "https://a b",
    f"{URL}#a",
]
AUDIENCES = ["", None, "Orders", "orders ", "a b", "a/../b", ["orders"]]
ACCOUNTS = [None, "mcs_secret", ("client_orders", "mcs_secret"), TOKENS, ClientSecret]
SECONDS = [nan, inf, -inf, -1, "5", None, True]
COUNTS = [0, -1, 1.5, nan, "5", None, True]
VERIFIERS = [None, "orders", Verifier, TOKENS, AUTHORITY]
API_KEYS = [SyncApiKeys(URL, "orders", ACCOUNT), ApiKeys, ACCOUNT, "mk_dev_1", ApiKeys(AUTHORITY.issuer, "billing", ACCOUNT)]
POLICIES = ["refuse", 60, AcceptUntil, Introspection(URL, ACCOUNT)]
FLAGS = [None, "false", 0]
EXEMPT = ["/health", None, [None], ["health"], [""], ["/health/*/x"], ["/a%20b"], ["/a?b"], ["/*"]]
TEXTS = ["orders.read", None, 5, [""], [None], ["a b"], [["orders.read"]]]
NAMES = ["", None, 5, "a b", " a", ["a", "b"]]
ACTIONS = [TOKENS, ActionTokens, "orders:refund"]
SOURCES = [None, "mcs_secret", ACCOUNT, ServiceTokens]
BLOCKING, LOOPING = [httpx.Client(), httpx.AsyncClient, "http"], [httpx.AsyncClient(), httpx.Client, "http"]


async def no(*_: object) -> None:
    """Something to await, where nobody does."""


@dataclass(frozen=True)
class Call:
    """How something is set up well, and for each parameter what it must not be."""

    what: Callable[..., Any]
    well: Mapping[str, Any]
    wrong: Mapping[str, list[Any]]
    by_position: bool = False

    def __call__(self, **wrong: Any) -> Any:
        given = {**self.well, **wrong}
        return self.what(*given.values()) if self.by_position else self.what(**given)


SERVICE = {"issuer": URLS, "credentials": ACCOUNTS, "retries": [5, "3", Retries]}
CLIENT = {
    "url": URLS, "audience": [each for each in AUDIENCES if each is not None], "tokens": ["at", {"access_token": "at"}],
    "on_tokens": [no, "print"], "retries": [5, Retries],
}  # fmt: skip
GUARDED = {"verifier": VERIFIERS, "api_keys": API_KEYS, "bearer": FLAGS, "on_blind": POLICIES}
FRESH = {"max_age": [0, nan, 1.5, "300", None, True], "acr": ["", 5, 'x"', "a\r\nb"], "methods": ["otp", [], [""], 5]}
CALLS = {
    "AcceptUntil": Call(AcceptUntil, {"age": 60}, {"age": [*SECONDS, 3_601]}),
    "ActionTokens": Call(
        ActionTokens, {"issuer": URL, "tokens": TOKENS}, {"issuer": URLS, "http": BLOCKING, "tokens": [None, ACCOUNT, "at", ServiceTokens]}
    ),
    "Erasures": Call(
        Erasures,
        {"issuer": URL, "tokens": TOKENS, "audience": "orders"},
        {
            "issuer": URLS, "http": BLOCKING, "tokens": [None, ACCOUNT, "at", ServiceTokens], "audience": AUDIENCES,
            "retries": [5, "3", Retries],
        },
    ),
    "ApiKeys": Call(
        ApiKeys,
        {"issuer": AUTHORITY.issuer, "audience": "orders", "credentials": ACCOUNT, "verifier": VERIFIER},
        {
            "issuer": [*URLS, "https://another.example"], "audience": [*AUDIENCES, "billing"], "credentials": ACCOUNTS, "http": BLOCKING,
            "verifier": ["orders", Verifier, TOKENS, GATEWAY], "known": [{}, 10_000],
        },
    ),
    "ClientKey": Call(
        ClientKey,
        {"client_id": "client_orders", "private_key": ec.generate_private_key(ec.SECP256R1())},
        {
            "client_id": NAMES, "private_key": [None, "", "a secret", ec.generate_private_key(ec.SECP256R1()).public_key()], "kid": ["", 5],
            "algorithm": ["HS256", "none", None, "", "RS256"],
        },
    ),
    "ClientSecret": Call(
        ClientSecret, {"client_id": "client_orders", "secret": "mcs_1"}, {"client_id": NAMES, "secret": ["", None, "mcs_1\n"]}
    ),
    "GatewayVerifier": Call(
        GatewayVerifier, {"issuer": URL, "audience": "orders"},
        {"issuer": URLS, "audience": AUDIENCES, "keys": [b"{}", "keys"], "http": BLOCKING, "clock": [0.0, SettableClock]},
    ),
    "Introspect": Call(
        Introspect, {"introspector": Introspection(URL, ACCOUNT)}, {"introspector": [None, ACCOUNT, SyncIntrospection(URL, ACCOUNT)]}
    ),
    "Introspection": Call(Introspection, {"issuer": URL, "credentials": ACCOUNT}, {**SERVICE, "http": BLOCKING}),
    "MinosClient": Call(MinosClient, {"url": URL}, {**CLIENT, "http": BLOCKING}),
    "MinosMiddleware": Call(
        MinosMiddleware, {"app": no, "verifier": VERIFIER, "api_keys": KEYS},
        {**GUARDED, "app": [None, "app"], "required": FLAGS, "exempt": EXEMPT, "by_gateway": [*FLAGS, True], "path_of": [None, "/", no]},
    ),
    "Retries": Call(Retries, {}, {"times": COUNTS, "first_s": SECONDS, "longest_s": SECONDS}),
    "Rule": Call(Rule, {"asks": "a text", "judge": lambda who, now: None}, {"asks": ["", None], "judge": [None, "yes", no]}),
    "ServiceTokens": Call(ServiceTokens, {"issuer": URL, "credentials": ACCOUNT}, {**SERVICE, "scope": TEXTS, "http": BLOCKING}),
    "SyncApiKeys": Call(
        SyncApiKeys, {"issuer": URL, "audience": "orders", "credentials": ACCOUNT},
        {"issuer": URLS, "audience": AUDIENCES, "credentials": ACCOUNTS, "http": LOOPING},
    ),
    "SyncIntrospection": Call(SyncIntrospection, {"issuer": URL, "credentials": ACCOUNT}, {**SERVICE, "http": LOOPING}),
    "SyncMinosClient": Call(SyncMinosClient, {"url": URL}, {**CLIENT, "http": LOOPING}),
    "SyncServiceTokens": Call(SyncServiceTokens, {"issuer": URL, "credentials": ACCOUNT}, {**SERVICE, "scope": TEXTS, "http": LOOPING}),
    "Verifier": Call(
        Verifier, {"issuer": URL, "audience": "orders", "feed": SseFeed(TOKENS)},
        {
            "issuer": URLS, "audience": AUDIENCES, "feed": [None, TOKENS, SseFeed], "on_blind": [*POLICIES, None], "leeway": [*SECONDS, 31],
            "remembered": COUNTS, "keys": [b"{}", "keys"], "signal_keys": [b"{}", "keys"], "http": BLOCKING, "clock": [0.0, SettableClock],
        },
    ),
    "allows": Call(minos_sdk.allows, {"held": ["orders.*"], "wanted": "orders.read"}, {"held": ["orders.*"]}),
    "require_role": Call(minos_sdk.require_role, {"roles": "clerk"}, {"roles": [*NAMES, "Clerk"]}, by_position=True),
    "require_any_role": Call(minos_sdk.require_any_role, {"roles": "clerk"}, {"roles": [*NAMES, "Clerk"]}, by_position=True),
    "require_permission": Call(minos_sdk.require_permission, {"permissions": "a.*"}, {"permissions": [*NAMES, "a."]}, by_position=True),
    "require_any_permission": Call(minos_sdk.require_any_permission, {"permissions": "a"}, {"permissions": NAMES}, by_position=True),
    "require_scope": Call(minos_sdk.require_scope, {"scopes": "a.b"}, {"scopes": NAMES}, by_position=True),
    "require_any_scope": Call(minos_sdk.require_any_scope, {"scopes": "a.b"}, {"scopes": NAMES}, by_position=True),
    "require_fresh_auth": Call(minos_sdk.require_fresh_auth, {"max_age": 300}, FRESH),
    "require_that": Call(
        minos_sdk.require_that, {"asks": "a text", "holds": lambda who: True},
        {"asks": ["", None], "holds": [None, True, no], "refused": [None, no]},
    ),
    "service_only": Call(minos_sdk.service_only, {"allowed": ["client_x"]}, {"allowed": ["client_x", [], [""], None, [5], ["Client X"]]}),
    "fastapi.Minos": Call(minos_sdk.fastapi.Minos, {"verifier": VERIFIER, "api_keys": KEYS}, {**GUARDED, "actions": ACTIONS}),
    "fastapi install": Call(
        MINOS.install, {"app": fastapi.FastAPI()}, {"app": [None, "app"], "required": FLAGS, "exempt": EXEMPT, "by_gateway": [*FLAGS, True]}
    ),
    "fastapi requires": Call(MINOS.requires, {}, {"on_blind": POLICIES}),
    "fastapi requires_action": Call(MINOS.requires_action, {"action": "orders:refund"}, {"action": ["", None, "refund", "a b:c"]}),
    "litestar.Minos": Call(
        minos_sdk.litestar.Minos, {"verifier": VERIFIER, "api_keys": KEYS},
        {**GUARDED, "actions": ACTIONS, "required": FLAGS, "exempt": EXEMPT, "by_gateway": [*FLAGS, True]},
    ),
    "testing.Authority": Call(Authority, {}, {"issuer": URLS, "audience": AUDIENCES}),
    "testing.SettableClock": Call(SettableClock, {}, {"at": SECONDS}),
    "testing advance": Call(SettableClock().advance, {"seconds": 1}, {"seconds": SECONDS}),
    "testing set_roles": Call(
        MemoryFeed(SettableClock()).set_roles, {"audience": "orders", "user_id": "ada", "roles": ["clerk"]}, {"roles": ["clerk", None]}
    ),
    "testing define_role": Call(
        MemoryFeed(SettableClock()).define_role, {"audience": "orders", "role": "clerk", "permissions": []},
        {"permissions": ["orders.*", None]},
    ),
    "PollingFeed": Call(PollingFeed, {"token_source": TOKENS}, {"token_source": SOURCES, "every": [*SECONDS, 0]}),
    "SseFeed": Call(SseFeed, {"token_source": TOKENS}, {"token_source": SOURCES}),
    "NatsFeed": Call(
        NatsFeed, {"servers": "nats://127.0.0.1:4222", "token_source": TOKENS},
        {"servers": ["", None, [], [None], 4222], "token_source": [*SOURCES[1:], SyncServiceTokens(URL, ACCOUNT)],
         "login": ["orders", StaticLogin], "plaintext": FLAGS},
    ),
    "StaticLogin": Call(StaticLogin, {"user": "orders", "password": "a b"}, {"user": ["", None, 5], "password": ["", None, 5]}),
    "testing user": Call(AUTHORITY.tokens.user, {"user_id": "ada"}, {"roles": ["clerk", None]}),
    "testing service": Call(AUTHORITY.tokens.service, {"client_id": "billing"}, {"permissions": ["orders.*", None]}),
    "testing new": Call(SigningKey.new, {"alg": "ES256"}, {"alg": ["HS256", "none", None]}),
}  # fmt: skip
WRONG = [(name, parameter) for name, call in CALLS.items() for parameter in call.wrong]
TEXTS_ALONE = {"covers", "require_user"}
TOLD = {"FactorRequired", "Freshness", "Identity", "TokenPair", "Verdict", "Watch"}
"""What is answered, and not asked for."""


@pytest.mark.parametrize("name", CALLS)
def test_what_is_meant_is_taken(name: str) -> None:
    CALLS[name]()


@pytest.mark.parametrize(("name", "parameter"), WRONG)
def test_nonsense_is_refused_at_once_and_named(name: str, parameter: str) -> None:
    for value in CALLS[name].wrong[parameter]:
        try:
            CALLS[name](**{parameter: value})
        except (TypeError, ValueError) as refused:
            said = str(refused)
        else:
            pytest.fail(f"takes {value!r}")
        assert parameter in said
        assert "keyword" not in said
        assert "mcs_" not in said


def test_everything_public_is_held_to_that() -> None:
    public = {name: getattr(minos_sdk, name) for name in minos_sdk.__all__}
    asks = {name for name, each in public.items() if inspect.isroutine(each) or _asks(each)}
    assert asks - TEXTS_ALONE - TOLD - CALLS.keys() == set()


def _asks(kind: object) -> bool:
    return isinstance(kind, type) and not issubclass(kind, Exception | StrEnum) and not getattr(kind, "_is_protocol", False)
