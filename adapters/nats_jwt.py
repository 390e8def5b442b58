"""JWTs as NATS writes them (nats-io/jwt, version 2): signed by an nkey, whose public part is the issuer."""

from hashlib import sha256
from typing import Any, Final

import msgspec
from msgspec import Struct

from adapters.base64url import from_text, to_text
from adapters.nats_keys import Kind, public_bytes, public_key, signing_key

LONGEST = 64 * 1024
"""Characters. A server's request carries the certificates a client has shown; what we sign is shorter."""


class NotSigned(Exception):
    """This is no JWT that the key it names has signed."""


class _Header(Struct, frozen=True):
    typ: str
    alg: str


class _Issuer(Struct, frozen=True):
    iss: str


_HEADER: Final = _Header(typ="JWT", alg="ed25519-nkey")


def signed(claims: dict[str, Any], seed: str) -> str:
    """Sign, adding who does (`iss`) and an id (`jti`) that is made of the rest, as NATS' own libraries do."""
    claims = {"iss": public_key(seed), **claims}
    claims["jti"] = sha256(msgspec.json.encode(claims)).hexdigest()
    message = f"{to_text(msgspec.json.encode(_HEADER))}.{to_text(msgspec.json.encode(claims))}"
    return f"{message}.{to_text(signing_key(seed).sign(message.encode()))}"


def verified(text: str, issuer: Kind) -> bytes:
    """Give the claims, as JSON, of what a key of this kind has signed: whose key it is, is for the caller to judge.

    Raises NotSigned.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    message, _, tail = text.rpartition(".")
    head, _, body = message.partition(".")
    raw, claims, signature = from_text(head), from_text(body), from_text(tail)
    if len(text) > LONGEST or raw is None or claims is None or signature is None:
        raise NotSigned
    try:
        key = public_bytes(msgspec.json.decode(claims, type=_Issuer).iss, issuer)
        if key is None or msgspec.json.decode(raw, type=_Header) != _HEADER:
            raise NotSigned
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message.encode())
    except (msgspec.DecodeError, UnicodeError, RecursionError, InvalidSignature) as bad:
        raise NotSigned from bad
    return claims
