"""A NATS user's key ("nkey"): Ed25519, with its seed and its public part written in base32, a checksum at the end.

The package `nkeys`, with which nats-py signs, does not look at a seed's checksum: a mistyped seed would be another user's.
"""

import base64
import binascii
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_SEED_BYTES = 32
_CHECK_BYTES = 2
_USER = bytes([20 << 3])
"""Written in base32 it is the U that a public key begins with."""
_USER_SEED = bytes([18 << 3 | _USER[0] >> 5, (_USER[0] & 31) << 3])
"""S, and the U five bits later."""


def new_seed() -> str:
    return _written(_USER_SEED + secrets.token_bytes(_SEED_BYTES))


def is_user_seed(text: str) -> bool:
    return _seed_bytes(text) is not None


def public_key(seed: str) -> str:
    return _written(_USER + _private_key(seed).public_key().public_bytes_raw())


def signature(seed: str, nonce: str) -> str:
    """Sign what a server wants signed, as the protocol wants it written."""
    return base64.b64encode(_private_key(seed).sign(nonce.encode())).decode()


def _private_key(seed: str) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # only who signs waits for its import

    known = _seed_bytes(seed)
    if known is None:
        raise ValueError("this is no seed of a NATS user")
    return Ed25519PrivateKey.from_private_bytes(known)


def _seed_bytes(text: str) -> bytes | None:
    try:
        content = base64.b32decode(text + "=" * (-len(text) % 8))
    except ValueError:
        return None
    known = content[len(_USER_SEED) : -_CHECK_BYTES]
    return known if len(known) == _SEED_BYTES and _written(_USER_SEED + known) == text else None


def _written(content: bytes) -> str:
    check = binascii.crc_hqx(content, 0).to_bytes(_CHECK_BYTES, "little")
    return base64.b32encode(content + check).decode().rstrip("=")
