"""A table for a million ids: 28 bytes for each with its time, where a dict of the same takes over a hundred."""

from collections.abc import Callable

_BUCKETS = 65_536
_KEY = 16


class CompactTable:
    """From 16 bytes that are random at their end (UUIDs) to a value of a fixed width. Keys of another length are kept in a dict.

    A bucket is one run of keys and values: found by searching for the key's bytes, which at these lengths is as fast as hashing.
    """

    __slots__ = ("_buckets", "_others", "_size", "_step", "_width")

    def __init__(self, width: int) -> None:
        self._width = width
        self._step = _KEY + width
        self._buckets = [b""] * _BUCKETS
        self._others: dict[bytes, bytes] = {}
        self._size = 0

    def __len__(self) -> int:
        return self._size + len(self._others)

    def get(self, key: bytes) -> bytes | None:
        if len(key) != _KEY:
            return self._others.get(key)
        bucket = self._buckets[key[14] << 8 | key[15]]
        if key not in bucket:
            return None
        at = self._position(bucket, key)
        return None if at < 0 else bucket[at + _KEY : at + self._step]

    def put(self, key: bytes, value: bytes) -> None:
        if len(key) != _KEY:
            self._others[key] = value
            return
        number = key[14] << 8 | key[15]
        bucket = self._buckets[number]
        at = self._position(bucket, key)
        if at < 0:
            self._size += 1
            at = len(bucket)
        self._buckets[number] = bucket[:at] + key + value + bucket[at + self._step :]

    def prune(self, is_over: Callable[[bytes], bool], *, first: int, buckets: int) -> int:
        """Drop what is over of some buckets, and give the number of the next: a little at a time, so that nobody waits for it."""
        for number in range(first, min(first + buckets, _BUCKETS)):
            if bucket := self._buckets[number]:
                self._buckets[number] = kept = self._without(bucket, is_over)
                self._size -= (len(bucket) - len(kept)) // self._step
        if first + buckets < _BUCKETS:
            return first + buckets
        self._others = {key: value for key, value in self._others.items() if not is_over(value)}
        return 0

    def _without(self, bucket: bytes, is_over: Callable[[bytes], bool]) -> bytes:
        step = self._step
        kept = [at for at in range(0, len(bucket), step) if not is_over(bucket[at + _KEY : at + step])]
        return bucket if len(kept) * step == len(bucket) else b"".join(bucket[at : at + step] for at in kept)

    def _position(self, bucket: bytes, key: bytes) -> int:
        """Where the key is; -1 when it is not. Bytes that only look like it, across two entries, are passed over."""
        at = bucket.find(key)
        while at > 0 and at % self._step:
            at = bucket.find(key, at + 1)
        return at
