"""Several values as one byte string that can be read in one way only: each is preceded by its length."""

from collections.abc import Iterable

_SHORT = 256
_SIZES = tuple(size.to_bytes(4, "big") for size in range(_SHORT))
"""Written out once: most parts are short, and each token has a dozen of them."""


def framed(parts: Iterable[str | bytes]) -> bytes:
    """Join parts for a MAC or as associated data: no two different lists give the same bytes."""
    framed_parts: list[bytes] = []
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        size = len(raw)
        framed_parts += (_SIZES[size] if size < _SHORT else size.to_bytes(4, "big"), raw)
    return b"".join(framed_parts)
