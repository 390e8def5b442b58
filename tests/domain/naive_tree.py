"""The Merkle tree of RFC 6962 2.1, word for word and slow: what ours is compared with."""

from collections.abc import Sequence
from hashlib import sha256


def split(n: int) -> int:
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def root(entries: Sequence[bytes]) -> bytes:
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    k = split(len(entries))
    return sha256(b"\x01" + root(entries[:k]) + root(entries[k:])).digest()


def inclusion(m: int, entries: Sequence[bytes]) -> list[bytes]:
    if len(entries) == 1:
        return []
    k = split(len(entries))
    if m < k:
        return [*inclusion(m, entries[:k]), root(entries[k:])]
    return [*inclusion(m - k, entries[k:]), root(entries[:k])]


def consistency(m: int, entries: Sequence[bytes], *, whole: bool = True) -> list[bytes]:
    if m == len(entries):
        return [] if whole else [root(entries)]
    k = split(len(entries))
    if m <= k:
        return [*consistency(m, entries[:k], whole=whole), root(entries[k:])]
    return [*consistency(m - k, entries[k:], whole=False), root(entries[:k])]
