"""NATS keys ("nkeys"): 32 bytes, with the kind of their holder written in front and a checksum behind, in base32.

Users, accounts and servers sign with Ed25519; a curve key (X25519) is what messages are encrypted to. The package `nkeys`, with
which nats-py signs, does not look at a seed's checksum: a mistyped seed would be another user's.
"""

import base64
import binascii
import secrets
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_KEY_BYTES = 32
_CHECK_BYTES = 2
_SEED = 18 << 3
"""Written in base32 it is the S that a seed begins with; the kind follows five bits later."""


class Kind(IntEnum):
    """What a key is of. Written in base32 each is the letter that a public key begins with: A, N, U, X."""

    ACCOUNT = 0 << 3
    SERVER = 13 << 3
    USER = 20 << 3
    CURVE = 23 << 3


def new_seed(kind: Kind = Kind.USER) -> str:
    return _written(_seed_mark(kind) + secrets.token_bytes(_KEY_BYTES))


def is_seed(text: str, kind: Kind) -> bool:
    return _seed_bytes(text, kind) is not None


def is_user_seed(text: str) -> bool:
    return is_seed(text, Kind.USER)


def public_key(seed: str) -> str:
    kind, known = _read_seed(seed)
    if kind is Kind.CURVE:
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey  # only who needs one waits for its import

        return _public(kind, X25519PrivateKey.from_private_bytes(known).public_key().public_bytes_raw())
    return _public(kind, signing_key(seed).public_key().public_bytes_raw())


def signature(seed: str, nonce: str) -> str:
    """Sign what a server wants signed, as the protocol wants it written."""
    return base64.b64encode(signing_key(seed).sign(nonce.encode())).decode()


def signing_key(seed: str) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    kind, known = _read_seed(seed)
    if kind is Kind.CURVE:
        raise ValueError("a curve key signs nothing")
    return Ed25519PrivateKey.from_private_bytes(known)


def curve_key(seed: str) -> bytes:
    """Give a curve key's private bytes. Raises ValueError."""
    known = _seed_bytes(seed, Kind.CURVE)
    if known is None:
        raise ValueError("this is no seed of a NATS curve key")
    return known


def public_bytes(text: str, kind: Kind) -> bytes | None:
    """Give the bytes of a public key of this kind; None for what is none, written exactly so."""
    content = _read(text)
    known = None if content is None else content[1:]
    return known if known is not None and len(known) == _KEY_BYTES and _public(kind, known) == text else None


def _public(kind: Kind, content: bytes) -> str:
    return _written(bytes([kind]) + content)


def _seed_mark(kind: Kind) -> bytes:
    return bytes([_SEED | kind >> 5, (kind & 31) << 3])


def _read_seed(text: str) -> tuple[Kind, bytes]:
    for kind in Kind:
        if (known := _seed_bytes(text, kind)) is not None:
            return kind, known
    raise ValueError("this is no seed of a NATS key")


def _seed_bytes(text: str, kind: Kind) -> bytes | None:
    mark = _seed_mark(kind)
    content = _read(text)
    known = None if content is None else content[len(mark) :]
    return known if known is not None and len(known) == _KEY_BYTES and _written(mark + known) == text else None


def _read(text: str) -> bytes | None:
    """Give what is written without its checksum, which only writing it again proves."""
    try:
        return base64.b32decode(text + "=" * (-len(text) % 8))[:-_CHECK_BYTES]
    except ValueError:
        return None


def _written(content: bytes) -> str:
    check = binascii.crc_hqx(content, 0).to_bytes(_CHECK_BYTES, "little")
    return base64.b32encode(content + check).decode().rstrip("=")
