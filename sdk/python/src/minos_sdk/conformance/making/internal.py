"""What a gateway hands on, for the verifier that takes nothing else."""

from collections.abc import Iterator
from typing import Any

from minos_sdk.conformance.making.world import AUDIENCE, ISSUER, NOW, SID, USER, World, accepts_internal, case, refuses_internal

_TYPE = "minos-internal+jwt"


def handed_on(w: World) -> Iterator[dict[str, Any]]:
    token = w.tokens.internal(USER, roles=["clerk"], permissions=["a.*"], sid=SID)
    told: dict[str, Any] = {"principal": "user", "subject": USER, "roles": ["clerk"], "permissions": ["a.*"], "session_id": SID}
    yield case("a person's request", accepts_internal(token, **told))
    yield case("after its minute", refuses_internal(token, "token_expired", now=NOW + 120))
    claims: dict[str, Any] = w.tokens.user_claims(USER) | {"permissions": ["a.*"], "exp": NOW + 60}
    for name, signed in (
        ("an access token", w.tokens.user(USER)),
        ("an access token's type under the key for gateways", w.internal_key.signed(claims, typ="at+jwt")),
        ("under a key for access tokens", w.access.signed(claims, typ=_TYPE)),
        ("under the key for signals", w.signals_key.signed(claims, typ=_TYPE)),
        ("under an unknown key", w.stranger.signed(claims, typ=_TYPE)),
        ("without a signature", token.rpartition(".")[0] + "."),
        ("of algorithm none", w.internal_key.signed(claims, typ=_TYPE, alg="none")),
        ("with its own key", w.stranger.signed(claims, typ=_TYPE, jwk=w.stranger.public_jwk())),
        ("of another issuer", w.tokens.internal(USER, iss="https://other.example")),
        ("for another audience", w.tokens.internal(USER, aud="bank")),
        ("of another principal", w.tokens.internal(USER, principal="root")),
        ("that is good for an hour", w.tokens.internal(USER, exp=NOW + 3_600)),
        ("made ahead of time", w.tokens.internal(USER, iat=NOW + 60, exp=NOW + 120)),
    ):
        yield case(name, refuses_internal(signed))


def of_each_kind(w: World) -> Iterator[dict[str, Any]]:
    """Who has no session has no roles, and a key of a person's is not that person."""
    said: dict[str, Any] = {
        "iss": ISSUER, "aud": AUDIENCE, "iat": NOW, "exp": NOW + 60, "jti": "i1", "roles": [], "permissions": ["a.read"],
    }  # fmt: skip
    service = said | {"principal": "service", "sub": "billing", "client_id": "billing"}
    told: dict[str, Any] = {"roles": [], "permissions": ["a.read"], "session_id": None}
    yield case("a service's request", _accepts(w, service, **told, principal="service", subject="billing", client_id="billing"))
    key = said | {"principal": "api_key", "sub": USER, "key_id": "k1"}
    yield case("a request with an API key", _accepts(w, key, **told, principal="api_key", subject=USER))
    person = w.tokens.user_claims(USER, sid=SID) | said | {"principal": "user"}
    for name in ("iss", "sub", "aud", "exp", "iat", "jti", "principal", "roles", "permissions", "sid", "auth_time"):
        yield case(f"of a person, without {name}", _refuses(w, {member: value for member, value in person.items() if member != name}))
    yield case("of an API key without its name", _refuses(w, {member: value for member, value in key.items() if member != "key_id"}))
    for name, value in (("aud", [AUDIENCE]), ("exp", str(NOW + 60)), ("roles", "admin"), ("permissions", "*"), ("principal", ["user"])):
        yield case(f"whose {name} is {value!r}", _refuses(w, person | {name: value}))


def _accepts(w: World, claims: dict[str, Any], **identity: Any) -> dict[str, Any]:
    return accepts_internal(w.internal_key.signed(claims, typ=_TYPE), **identity)


def _refuses(w: World, claims: dict[str, Any]) -> dict[str, Any]:
    return refuses_internal(w.internal_key.signed(claims, typ=_TYPE))
