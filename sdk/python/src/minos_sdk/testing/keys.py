"""Keys that sign, for tests alone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Any, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

from minos_sdk.jws import to_base64url
from minos_sdk.key_set import ALGORITHMS

Algorithm = Literal["ES256", "RS256", "PS256", "EdDSA"]


@dataclass(frozen=True, slots=True)
class SigningKey:
    kid: str
    alg: str
    private: Any = field(repr=False)

    @classmethod
    def new(cls, alg: Algorithm = "ES256", *, kid: str | None = None) -> "SigningKey":
        """Make a key; without a `kid` it is named by its thumbprint, as the authority names its own (RFC 7638)."""
        if alg not in ALGORITHMS:
            raise ValueError(f"alg is one of {', '.join(ALGORITHMS)}")
        private = _rsa(alg) if alg in ("RS256", "PS256") else _curve(alg)
        return cls(kid or _thumbprint(_public(alg, private)), alg, private)

    @classmethod
    def of_jwk(cls, jwk: Mapping[str, Any]) -> "SigningKey":
        """Read a private JWK that has `kid` and `alg`."""
        return cls(jwk["kid"], jwk["alg"], jwt.PyJWK.from_dict(dict(jwk), algorithm=jwk["alg"]).key)

    def public_jwk(self) -> dict[str, Any]:
        return {**_public(self.alg, self.private), "kid": self.kid, "alg": self.alg, "use": "sig"}

    def private_jwk(self) -> dict[str, Any]:
        return {**_jwk(self.alg, self.private), "kid": self.kid, "alg": self.alg}

    def sign(self, message: bytes) -> bytes:
        """Give a signature of the key's algorithm; of the two that ES256 has, the one with the low `s`, as the authority does."""
        signature: bytes = get_default_algorithms()[self.alg].sign(message, self.private)
        return _low(signature) if self.alg == "ES256" else signature

    def signed(self, payload: Mapping[str, Any] | bytes, *, typ: str, **header: Any) -> str:
        """Write a text in the compact form. `header`: members besides or instead of the usual ones, as an attacker would."""
        head = {"alg": self.alg, "kid": self.kid, "typ": typ, **header}
        body = payload if isinstance(payload, bytes) else _json(payload)
        message = f"{to_base64url(_json({name: value for name, value in head.items() if value is not None}))}.{to_base64url(body)}"
        return f"{message}.{to_base64url(self.sign(message.encode()))}"


def key_set(*keys: SigningKey) -> bytes:
    """Give the document an issuer publishes for these keys."""
    return _json({"keys": [key.public_jwk() for key in keys]})


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


@cache
def _rsa(alg: str) -> rsa.RSAPrivateKey:
    """One for each algorithm: making them takes long, and tests of RSA have no need of many."""
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048 if alg else 0)


def _curve(alg: Algorithm) -> ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey:
    return ec.generate_private_key(ec.SECP256R1()) if alg == "ES256" else ed25519.Ed25519PrivateKey.generate()


def _public(alg: str, private: Any) -> dict[str, Any]:
    return _jwk(alg, private.public_key())


def _jwk(alg: str, key: Any) -> dict[str, Any]:
    members: dict[str, Any] = dict(json.loads(get_default_algorithms()[alg].to_jwk(key)))
    members.pop("key_ops", None)
    return members


def _thumbprint(public: Mapping[str, Any]) -> str:
    required = {name: public[name] for name in sorted(public) if name in ("crv", "e", "kty", "n", "x", "y")}
    return to_base64url(sha256(_json(required)).digest())


_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def _low(signature: bytes) -> bytes:
    s = int.from_bytes(signature[32:], "big")
    return signature[:32] + min(s, _P256_ORDER - s).to_bytes(32, "big")
