"""A binary fuse filter (Graf and Lemire, 2022): which of many texts are known, in 18 bits each, wrongly yes once in 65,536 times.

The file: a header, then 16-bit fingerprints, little-endian. It is mapped, not read: all processes of a machine share one copy.
"""

import math
import mmap
import sys
from array import array
from collections.abc import Collection, Iterable
from hashlib import blake2b
from pathlib import Path
from struct import Struct

_HEADER = Struct("<8sQIIQ")
_MAGIC = b"MINOSBF1"
_MASK = 0xFFFF
_SEEDS = 64
"""Tries to place every key; each goes well nine times in ten or more."""


class NotAFilter(Exception):
    """The file is not one of ours, or not all of it."""


class FuseFilter:
    """Answers `in` for texts. May say yes to a text that was never put in, never no to one that was."""

    def __init__(self, path: Path) -> None:
        """Raises NotAFilter, OSError."""
        with path.open("rb") as file:
            try:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except ValueError:
                raise NotAFilter(f"{path.name} is empty") from None
        if len(self._map) < _HEADER.size:
            raise NotAFilter(f"{path.name} is too short")
        magic, self._seed, self._segment, segments, self.keys = _HEADER.unpack_from(self._map)
        self._span = self._segment * segments
        if magic != _MAGIC or len(self._map) != _HEADER.size + 2 * (self._span + 2 * self._segment):
            raise NotAFilter(f"{path.name} is not a filter, or not a whole one")
        self._fingerprints = memoryview(self._map)[_HEADER.size :].cast("H")

    @property
    def size(self) -> int:
        """Bytes it takes, shared by all that have it open."""
        return len(self._map)

    def __contains__(self, text: str) -> bool:
        key = _key(text, self._seed)
        first, second, third = _places(key, self._segment, self._span)
        cells = self._fingerprints
        found = cells[first] ^ cells[second] ^ cells[third]
        return (found if sys.byteorder == "little" else (found >> 8 | found << 8) & _MASK) == _fingerprint(key)


def built(texts: Collection[str]) -> bytes:
    """Make the file of these texts, byte for byte the same from the same texts. Takes some microseconds and 200 bytes for each."""
    segment, segments = _dimensions(len(texts))
    for seed in range(_SEEDS):
        keys = sorted({_key(text, seed) for text in texts})
        order = _peeled(keys, segment, segment * segments)
        if order is not None:
            cells = _filled(order, segment, segment * segments)
            if sys.byteorder != "little":
                cells.byteswap()
            return _HEADER.pack(_MAGIC, seed, segment, segments, len(texts)) + cells.tobytes()
    raise ValueError("no seed places these keys")


def _key(text: str, seed: int) -> int:
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, salt=seed.to_bytes(8, "little"))
    return int.from_bytes(digest.digest(), "little")


def _places(key: int, segment: int, span: int) -> tuple[int, int, int]:
    """Three places in three segments that follow one another."""
    first = key * span >> 64
    mask = segment - 1
    return first, first + segment ^ key >> 18 & mask, first + 2 * segment ^ key & mask


def _fingerprint(key: int) -> int:
    return (key ^ key >> 32) & _MASK


def _dimensions(keys: int) -> tuple[int, int]:
    """The length of a segment, a power of two, and how many a key may begin in: the paper's, for three places."""
    keys = max(keys, 2)
    segment = min(1 << math.floor(math.log(keys) / math.log(3.33) + 2.25), 1 << 18)
    cells = round(keys * max(1.125, 0.875 + 0.25 * math.log(1_000_000) / math.log(keys)))
    return segment, max(1, math.ceil(cells / segment) - 2)


def _peeled(keys: Iterable[int], segment: int, span: int) -> list[tuple[int, int]] | None:
    """Take away keys that are alone in one of their places until none is left; None where some never are."""
    size = span + 2 * segment
    counts, mixed = array("I", bytes(4 * size)), array("Q", bytes(8 * size))
    total = 0
    for key in keys:
        total += 1
        for place in _places(key, segment, span):
            counts[place] += 1
            mixed[place] ^= key
    alone = [place for place in range(size) if counts[place] == 1]
    order: list[tuple[int, int]] = []
    while alone:
        place = alone.pop()
        if counts[place] != 1:
            continue
        key = mixed[place]
        order.append((key, place))
        for other in _places(key, segment, span):
            counts[other] -= 1
            mixed[other] ^= key
            if counts[other] == 1:
                alone.append(other)
    return order if len(order) == total else None


def _filled(order: list[tuple[int, int]], segment: int, span: int) -> "array[int]":
    """Give each key's own place what makes its three places yield its fingerprint, last taken away first."""
    cells = array("H", bytes(2 * (span + 2 * segment)))
    for key, place in reversed(order):
        first, second, third = _places(key, segment, span)
        cells[place] ^= _fingerprint(key) ^ cells[first] ^ cells[second] ^ cells[third]
    return cells
