"""Hashes of entries and of pairs of hashes (RFC 6962 2.1), and of rows of them."""

from collections.abc import Iterator, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


_leaf_begun = sha256(b"\x00").copy
_node_begun = sha256(b"\x01").copy
"""Where many are made: to copy one that was begun takes half as long as to begin another."""


def leaf_hash(entry: bytes) -> bytes:
    begun = _leaf_begun()
    begun.update(entry)
    return begun.digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """Give the root over a power of two of neighbours of one height."""
    row = list(hashes)
    while len(row) > 1:
        above: list[bytes] = []
        for left, right in zip(row[::2], row[1::2], strict=True):
            begun = _node_begun()  # in place of node_hash: this is where the tree's time goes
            begun.update(left + right)
            above.append(begun.digest())
        row = above
    return row[0]


def joined(roots: Sequence[bytes]) -> bytes:
    """Give the root over subtrees that shrink from left to right, as those of a tree do whose size is no power of two."""
    if not roots:
        return EMPTY_ROOT
    *before, reached = roots
    for left in reversed(before):
        reached = node_hash(left, reached)
    return reached


def powers(count: int) -> Iterator[int]:
    """Give the powers of two that `count` is the sum of, the largest first."""
    for bit in range(count.bit_length() - 1, -1, -1):
        if count >> bit & 1:
            yield 1 << bit


def split(packed: bytes) -> list[bytes]:
    """Take a row of hashes apart."""
    return [packed[at : at + HASH_BYTES] for at in range(0, len(packed), HASH_BYTES)]
