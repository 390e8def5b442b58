"""Access tokens that are good, and genuine ones that are not good here or now."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from minos_sdk.conformance.making.world import EVERYBODY, NOW, SID, USER, World, accepts, case, refuses, written

_OF_ALL = ("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "scope", "roles", "principal", "epoch", "roles_version")
_SDK = ("sdk",)
_NO_NUMBERS: tuple[Any, ...] = ("1800000900", True, [1_800_000_900], {}, 1_800_000_900.5)
_NO_TEXTS: tuple[Any, ...] = (7, ["x"], {}, True)
_OF_PERSONS = ("sid", "auth_time", "acr", "amr")


def good(w: World) -> Iterator[dict[str, Any]]:
    person = w.tokens.user(USER, sid=SID, jti="t1", roles=["clerk"])
    told: dict[str, Any] = {
        "principal": "user", "subject": USER, "session_id": SID, "token_id": "t1", "client_id": "minos-web", "roles": ["clerk"],
    }  # fmt: skip
    yield case("a person's token", accepts(person, **told), applies=EVERYBODY)
    service = w.tokens.service("billing", permissions=["a.read", "b.*"])
    said: dict[str, Any] = {"principal": "service", "subject": "billing", "permissions": ["a.read", "b.*"]}
    yield case("a service account's token", accepts(service, **said), applies=EVERYBODY)
    for key in (w.rsa, w.pss, w.eddsa):
        yield case(f"a token signed with {key.alg}", accepts(w.tokens_by(key).user()), applies=EVERYBODY)
    yield case("the same token again", accepts(person), accepts(person), applies=EVERYBODY)
    yield case("claims that nobody here knows", accepts(w.tokens.user(later="x", much={"later": [1]})), applies=EVERYBODY)
    yield case("no roles", accepts(w.tokens.user(roles=[]), roles=[]), applies=EVERYBODY)
    yield case("as long as a token may be", accepts(_as_long_as_may_be(w)), applies=EVERYBODY)
    header = json.dumps({"typ": "at+jwt", "kid": w.access.kid, "alg": "ES256"}, indent=1)
    yield case("a header in another order", accepts(written(header, json.dumps(w.tokens.user_claims()), w.access)))


def in_time(w: World) -> Iterator[dict[str, Any]]:
    """Long after anything was heard: with leave to accept all the same, what is left is the token's own time."""
    token, blindly = w.tokens.user(ttl=60), 3_600.0
    fine, over = accepts(token, now=NOW + 89, on_blind=blindly), refuses(token, "token_expired", now=NOW + 90)
    yield case("29 seconds after its end", fine, applies=EVERYBODY)
    yield case("30 seconds after its end", over, applies=EVERYBODY)
    yield case("long after its end", refuses(token, "token_expired", now=NOW + 90_000), applies=EVERYBODY)
    yield case("accepted, and then over", fine, over, applies=EVERYBODY)
    yield case("made 30 seconds ahead", accepts(w.tokens.user(iat=NOW + 30, nbf=NOW + 30)), applies=EVERYBODY)
    yield case("made 31 seconds ahead", refuses(w.tokens.user(iat=NOW + 31)), applies=EVERYBODY)
    yield case("good only in 31 seconds", refuses(w.tokens.user(nbf=NOW + 31)), applies=EVERYBODY)


def lacking(w: World) -> Iterator[dict[str, Any]]:
    for name in (*_OF_ALL, *_OF_PERSONS):
        yield _bad(f"a person's token without {name}", _person(w, **{name: None}))
    for name in _OF_ALL:
        yield _bad(f"a service's token without {name}", _service(w, **{name: None}))
    for name, value in (("sid", SID), ("auth_time", NOW), ("acr", "1"), ("amr", ["pwd"])):
        yield _bad(f"a service's token with {name}", _service(w, **{name: value}))


def of_other_kinds(w: World) -> Iterator[dict[str, Any]]:
    for name in ("exp", "nbf", "iat", "epoch", "roles_version", "auth_time"):
        for value in _NO_NUMBERS:
            yield _bad(f"{name} is {json.dumps(value)}", _person(w, **{name: value}))
    for name in ("sub", "jti", "client_id", "sid", "acr", "principal", "scope"):
        for wrong in _NO_TEXTS:
            yield _bad(f"{name} is {json.dumps(wrong)}", _person(w, **{name: wrong}))
    for roles in ("admin", {"admin": True}, [1], [["admin"]]):
        yield _bad(f"roles is {json.dumps(roles)}", _person(w, roles=roles))
    for name in ("sid", "acr"):
        yield _bad(f"{name} is empty", _person(w, **{name: ""}))
    yield _bad("amr is empty", _person(w, amr=[]))
    for name in ("sub", "jti", "client_id"):
        yield _bad(f"{name} is empty", _person(w, **{name: ""}), _SDK)
    yield _bad("a negative epoch", _person(w, epoch=-1), _SDK)
    yield _bad("a token that only its holder may use (cnf)", _person(w, cnf={"jkt": "AAAA"}), _SDK)


def of_others(w: World) -> Iterator[dict[str, Any]]:
    for iss in ("https://auth.example/", "https://AUTH.example", "http://auth.example", "https://auth.example.evil.example", "", 7):
        yield _bad(f"issuer {iss!r}", _person(w, iss=iss))
    for aud in ("bank", "shop ", "SHOP", "", ["bank"], 7):
        yield _bad(f"audience {aud!r}", _person(w, aud=aud))
    yield _bad("a list with the right audience among others", _person(w, aud=["shop", "bank"]))
    for principal in ("api_key", "admin", "USER", ""):
        yield _bad(f"principal {principal!r}", _person(w, principal=principal))


def badly_written(w: World) -> Iterator[dict[str, Any]]:
    claims = json.dumps(w.tokens.user_claims(USER))
    header = json.dumps({"alg": "ES256", "kid": w.access.kid, "typ": "at+jwt"}, separators=(",", ":"))
    yield case("a claim that is there twice", refuses(written(header, claims[:-1] + f', "sub": "{SID}"}}', w.access)))
    inner = claims[:-1] + ', "extra": {"a": 1, "a": 2}}'
    yield case("a member of a claim that is there twice", refuses(written(header, inner, w.access)))
    for what, payload in (
        ("a list", f"[{claims}]"), ("a text", '"x"'), ("empty", ""), ("cut short", claims[:-1]), ("followed by more", claims + claims),
        ("with NaN in it", claims[:-1] + ', "x": NaN}'), ("with a comment", "/**/" + claims),
        ("with single quotes", claims.replace('"', "'")),
        ("nested without end", claims[:-1] + ', "x": ' + "[" * 2_500 + "]" * 2_500 + "}"),
    ):  # fmt: skip
        yield case(f"claims that are {what}", refuses(written(header, payload, w.access)), applies=EVERYBODY)
    yield case("claims that are not UTF-8", refuses(written(header, claims.encode()[:-1] + b', "x": "\xff"}', w.access)), applies=("sdk",))
    yield case("claims in UTF-16", refuses(written(header, claims.encode("utf-16"), w.access)), applies=EVERYBODY)
    yield case("claims after a byte order mark", refuses(written(header, claims.encode("utf-8-sig"), w.access)), applies=EVERYBODY)


def _bad(name: str, token: str, applies: Sequence[str] = EVERYBODY) -> dict[str, Any]:
    return case(name, refuses(token), applies=applies)


def _person(w: World, **changes: Any) -> str:
    return _signed(w, w.tokens.user_claims() | changes)


def _service(w: World, **changes: Any) -> str:
    return _signed(w, w.tokens.service_claims() | changes)


def _signed(w: World, claims: dict[str, Any]) -> str:
    return w.access.signed({name: value for name, value in claims.items() if value is not None}, typ="at+jwt")


def _as_long_as_may_be(w: World) -> str:
    """Base64 has no text of every length: 8,192 characters, or one or two fewer."""
    tokens = (w.tokens.user(filler="x" * filler) for filler in range(5_200, 5_700))
    return max((token for token in tokens if len(token) <= 8_192), key=len)
