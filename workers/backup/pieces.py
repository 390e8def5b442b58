"""The dump in pieces, each with a digest of its own: what is restored is what was sealed, whoever writes into the folder meanwhile."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from workers.backup.manifest import BadBackup, opened

PIECE = 16 * 2**20
"""Bytes of each but the last."""


def digests(path: Path) -> list[str]:
    return [hashlib.sha256(piece).hexdigest() for piece in _pieces(path)]


def believed(path: Path, expected: Sequence[str]) -> Iterator[bytes]:
    """Give each piece once it was looked at, and nothing behind the last. Raises BadBackup, OSError."""
    pieces = _pieces(path)
    for digest in expected:
        piece = next(pieces, b"")
        if hashlib.sha256(piece).hexdigest() != digest:
            raise BadBackup(f"{path} was changed while it was being restored")
        yield piece


def _pieces(path: Path) -> Iterator[bytes]:
    with opened(path) as file:
        while piece := file.read(PIECE):
            yield piece
