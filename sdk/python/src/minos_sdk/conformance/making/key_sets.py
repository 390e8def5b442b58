"""Key sets with keys in them that are not for this, and tokens that are signed with those."""

import hmac
import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from minos_sdk.conformance.making.world import World, accepts, case, refuses
from minos_sdk.jws import to_base64url
from minos_sdk.testing.keys import SigningKey


def unfit(w: World) -> Iterator[dict[str, Any]]:
    """The right keys are there beside, and stay good."""
    for name, jwk, token in [*_secrets(w), *_of_other_use(w), *_weak(w)]:
        yield case(name, _with(w, jwk), w.snapshot(), refuses(token), accepts(w.tokens.user()))


def _with(w: World, jwk: dict[str, Any]) -> dict[str, Any]:
    step = w.configure()
    return step | {"access_keys": {"keys": [jwk, *step["access_keys"]["keys"]]}}


def _secrets(w: World) -> Iterator[tuple[str, dict[str, Any], str]]:
    secret = b"everybody can read this, it is in the key set"
    shared = {"kty": "oct", "k": to_base64url(secret), "kid": "shared", "alg": "HS256", "use": "sig"}
    message = w.access.signed(w.tokens.user_claims(), typ="at+jwt", alg="HS256", kid="shared").rpartition(".")[0]
    yield "a secret in the key set", shared, f"{message}.{to_base64url(hmac.digest(secret, message.encode(), sha256))}"
    key = SigningKey.new()
    yield "a key whose private half is in the key set", key.private_jwk(), _by(w, key)


def _of_other_use(w: World) -> Iterator[tuple[str, dict[str, Any], str]]:
    key = SigningKey.new()
    jwk = key.public_jwk()
    for what, changed in (
        ("for encryption", jwk | {"use": "enc"}),
        ("for signing, and not for verifying", jwk | {"key_ops": ["sign"]}),
        ("without an algorithm", {member: value for member, value in jwk.items() if member != "alg"}),
        ("without a name", {member: value for member, value in jwk.items() if member != "kid"}),
        ("of another algorithm than its kind's", jwk | {"alg": "RS256"}),
        ("of an algorithm that is not allowed", jwk | {"alg": "ES384"}),
        ("of a curve that it is not on", jwk | {"crv": "P-384"}),
        ("off its curve", jwk | {"y": jwk["x"]}),
    ):
        yield f"a key {what}", changed, _by(w, key)
    yield "a key without an algorithm, and a token of none", jwk | {"alg": "none"}, _by(w, key, alg="none").rpartition(".")[0] + "."


def _weak(w: World) -> Iterator[tuple[str, dict[str, Any], str]]:
    short = SigningKey("short", "RS256", rsa.generate_private_key(public_exponent=65_537, key_size=1_024))  # noqa: S505 - that is the point
    yield "a key of RSA with 1,024 bits", short.public_jwk(), _by(w, short)
    other = SigningKey("other", "ES256", ec.generate_private_key(ec.SECP256K1()))
    yield "a key on another curve", _named_p256(other), _by(w, SigningKey("other", "ES256", SigningKey.new().private))


def _named_p256(key: SigningKey) -> dict[str, Any]:
    numbers = key.private.public_key().public_numbers()
    x, y = (to_base64url(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": key.kid, "alg": "ES256", "use": "sig"}


def _by(w: World, key: SigningKey, **header: Any) -> str:
    return key.signed(json.dumps(w.tokens.user_claims()).encode(), typ="at+jwt", **header)
