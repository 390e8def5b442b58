"""What only the holder of a curve key can read, and only the other end can have written (NATS "xkeys", version xkv1: NaCl's box)."""

from nacl.exceptions import CryptoError
from nacl.public import Box, PrivateKey, PublicKey

from adapters.nats_keys import Kind, curve_key, public_bytes

_MARK = b"xkv1"


class CannotOpen(Exception):
    """It was not encrypted to us, or not by whoever is said to have done it."""


def sealed(message: bytes, *, seed: str, to: str) -> bytes:
    """Encrypt to a public curve key. Raises CannotOpen where it is none."""
    return _MARK + _box(seed, to).encrypt(message)


def opened(message: bytes, *, seed: str, sender: str) -> bytes:
    """Raises CannotOpen."""
    if not message.startswith(_MARK):
        raise CannotOpen
    try:
        return _box(seed, sender).decrypt(message.removeprefix(_MARK))
    except (CryptoError, ValueError, TypeError) as bad:  # NaCl's own, and what is too short to be anything
        raise CannotOpen from bad


def _box(seed: str, other: str) -> Box:
    known = public_bytes(other, Kind.CURVE)
    if known is None:
        raise CannotOpen
    return Box(PrivateKey(curve_key(seed)), PublicKey(known))
