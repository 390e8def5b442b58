"""Personal fields under a subject's key: AES-256-GCM, a random 12-byte nonce first, bound to stream and field."""

import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.framing import framed
from domain.event import Sealed
from domain.ids import StreamName, SubjectKeyId

NONCE_BYTES = 12
KEY_BYTES = 32
_LABEL = "minos sealed field v1"


class SealBroken(Exception):
    """A field does not open under the key it names: altered, or carried to where it was not sealed for. Never skipped over."""


def seal(key_id: SubjectKeyId, cipher: AESGCM, fields: Mapping[str, str], *, stream: StreamName) -> Mapping[str, Sealed]:
    """Seal each field under a nonce of its own. Keys of one subject stay far below the 2^32 fields NIST SP 800-38D 8.3 allows."""
    sealed: dict[str, Sealed] = {}
    for field, text in fields.items():
        nonce = os.urandom(NONCE_BYTES)
        sealed[field] = Sealed(key_id, nonce + cipher.encrypt(nonce, text.encode(), framed((_LABEL, stream, field))))
    return sealed


def unseal(cipher: AESGCM, sealed: Sealed, *, stream: StreamName, field: str) -> str:
    """Raises SealBroken."""
    nonce, box = sealed.box[:NONCE_BYTES], sealed.box[NONCE_BYTES:]
    try:
        return cipher.decrypt(nonce, box, framed((_LABEL, stream, field))).decode()
    except (InvalidTag, ValueError):
        raise SealBroken(f"field {field} of {stream} does not open") from None
