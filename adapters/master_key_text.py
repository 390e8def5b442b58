"""How a master key is written: 32 random bytes in base64, of either alphabet."""

import base64
import binascii
import re
from collections.abc import Iterator

from adapters.secret import Secret

MASTER_KEY_BYTES = 32


def decoded(secret: Secret) -> bytes | None:
    """Give the key's bytes; None when the text is not base64."""
    try:
        return base64.b64decode(secret.reveal().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return None


def several(secret: Secret | None) -> list[Secret]:
    """Give each of the keys in a text that has them divided by commas, spaces or lines."""
    return [] if secret is None else [Secret(part) for part in re.split(r"[,\s]+", secret.reveal()) if part]


def is_weak(secret: Secret) -> bool:
    key = decoded(secret)
    return key is None or len(set(key)) < MASTER_KEY_BYTES // 2


def faults(name: str, secret: Secret | None, *, most: int = 64) -> Iterator[str]:
    """Give what is wrong with the value of a setting, as a line for the operator."""
    keys = several(secret)
    if len(keys) > most or not all(_is_whole(key) for key in keys):
        yield f"{name}: expected {MASTER_KEY_BYTES} bytes in base64 (make one: openssl rand -base64 32)"


def _is_whole(secret: Secret) -> bool:
    key = decoded(secret)
    return key is not None and len(key) == MASTER_KEY_BYTES
