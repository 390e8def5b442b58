"""Several values as one byte string that can be read in one way only: each is preceded by its length."""

from collections.abc import Iterable


def framed(parts: Iterable[str | bytes]) -> bytes:
    """Join parts for a MAC or as associated data: no two different lists give the same bytes."""
    framed_parts: list[bytes] = []
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        framed_parts += (len(raw).to_bytes(4, "big"), raw)
    return b"".join(framed_parts)
