"""Sets of public keys (RFC 7517), held to a size and to kinds of keys that are used here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

import jwt

from minos_sdk.jws import Malformed, Object, read_object

ALGORITHMS = {"ES256": ("EC", "P-256"), "RS256": ("RSA", None), "PS256": ("RSA", None), "EdDSA": ("OKP", "Ed25519")}
"""What may sign, and the kind of key that each takes. None that shares a secret, and never `none`."""
LONGEST = 65_536
"""Bytes of a key set."""
MOST = 64
"""Keys of a key set."""
_SECRET = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
_MATERIAL = ("kty", "crv", "x", "y", "n", "e")
_RSA_BITS = range(2_048, 8_193)


class UnfitKeySet(Exception):
    """An issuer's key set is not one: what was known before goes on."""


@dataclass(frozen=True, slots=True)
class Key:
    """A public key and the one algorithm it is used with."""

    kid: str
    alg: str
    material: tuple[str | None, ...]
    verify: Callable[[bytes, bytes], bool] = field(repr=False, compare=False)
    """Tell whether `(message, signature)` is genuine."""


def read_key_set(body: bytes) -> Mapping[str, Key]:
    """Give the keys that are fit for use, by name; what else an issuer publishes there is passed over. Raises UnfitKeySet."""
    if len(body) > LONGEST:
        raise UnfitKeySet("a key set is too long")
    try:
        members = read_object(body).get("keys")
    except Malformed:
        raise UnfitKeySet("a key set is no JSON object") from None
    if not isinstance(members, list) or len(cast("list[object]", members)) > MOST:
        raise UnfitKeySet("a key set has no list of keys, or too long a one")
    found = [_key(cast("Object", each)) for each in cast("list[object]", members) if isinstance(each, dict)]
    keys = [key for key in found if key is not None]
    if len({key.kid for key in keys}) != len(keys):
        raise UnfitKeySet("two keys share a name")
    return {key.kid: key for key in keys}


def _key(jwk: Object) -> Key | None:
    kid, alg = jwk.get("kid"), jwk.get("alg")
    if not (isinstance(kid, str) and kid and isinstance(alg, str) and alg in ALGORITHMS):
        return None
    kind, curve = ALGORITHMS[alg]
    if jwk.get("kty") != kind or jwk.get("crv") != curve or jwk.keys() & _SECRET or not _is_for_verifying(jwk):
        return None
    material = tuple(cast("str | None", jwk.get(name)) for name in _MATERIAL)
    try:
        verify = _verify_with({name: value for name, value in zip(_MATERIAL, material, strict=True) if value is not None}, alg)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    return None if verify is None else Key(kid, alg, material, verify)


def _is_for_verifying(jwk: Object) -> bool:
    operations = jwk.get("key_ops", ["verify"])
    return jwk.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations


def _verify_with(jwk: dict[str, str], alg: str) -> Callable[[bytes, bytes], bool] | None:
    """Raises what PyJWT raises for members that make no key."""
    read = jwt.PyJWK.from_dict(jwk, algorithm=alg)
    if alg in ("RS256", "PS256") and read.key.key_size not in _RSA_BITS:
        return None
    algorithm, key = read.Algorithm, read.key

    def verify(message: bytes, signature: bytes) -> bool:
        return bool(algorithm.verify(message, key, signature))

    return verify
