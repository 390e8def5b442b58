"""The tree over the entries (RFC 6962, 2.1), grown from left to right in the space of one path."""

from collections.abc import Iterable, Sequence
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()
WIDTH = 256
"""Hashes in a full tile (C2SP tlog-tiles)."""
HEIGHT = 8


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def full_root(hashes: Sequence[bytes]) -> bytes:
    """Give the root over hashes whose number is a power of two, as those of a full tile."""
    while len(hashes) > 1:
        hashes = [sha256(b"\x01" + hashes[at] + hashes[at + 1]).digest() for at in range(0, len(hashes), 2)]
    return hashes[0]


class Frontier:
    """Roots of the complete subtrees a tree ends in, the largest first: all that is needed to go on, and to say its root."""

    __slots__ = ("_peaks",)

    def __init__(self, peaks: Iterable[tuple[int, bytes]] = ()) -> None:
        self._peaks = list(peaks)

    def copy(self) -> "Frontier":
        return Frontier(self._peaks)

    def add(self, subtree: bytes, height: int = 0) -> None:
        """Append a subtree of 2**height leaves. The tree must hold a multiple of that many."""
        peaks = self._peaks
        while peaks and peaks[-1][0] == height:
            subtree = node_hash(peaks.pop()[1], subtree)
            height += 1
        peaks.append((height, subtree))

    def root(self) -> bytes:
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1][1]
        for _, left in self._peaks[-2::-1]:
            root = node_hash(left, root)
        return root


def root_from_path(index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes | None:
    """Give the root that an inclusion path leads to (RFC 9162, 2.1.3.2); None where it is not of the length for this place."""
    node, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if node & 1 or node == last:
            root = node_hash(sibling, root)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        node, last = node >> 1, last >> 1
    return root if last == 0 and 0 <= index < size else None
