"""What the log says of itself: which entries were pruned, and up to where an epoch was kept when a later one was opened."""

import json
from array import array
from collections.abc import Iterator, Mapping
from typing import Any, cast

_LET_GO = ("log.pruned.v1", "log.detached.v1")
_OPENED = "log.epoch_opened.v1"


class Announced:
    """Is given the entries of the stream `log`, and the positions at which there is only a hash."""

    def __init__(self) -> None:
        self._ranges: list[tuple[int, int]] = []
        self._firsts = array("Q")
        self._lasts = array("Q")
        self._opened: list[tuple[int, int]] = []

    def entry(self, kind: str, entry: bytes) -> None:
        said: Mapping[str, Any] = json.loads(entry)["payload"]
        if kind in _LET_GO:
            self._ranges.append((_number(said, "first_position"), _number(said, "last_position")))
        elif kind == _OPENED:
            self._opened.append((_number(said, "epoch"), _number(said, "agreed")))

    def kept(self, epoch: int) -> int | None:
        """Give up to which size an earlier epoch is the beginning of this log, as the openings of later ones say; None for the newest."""
        return min((agreed for opened, agreed in self._opened if opened > epoch), default=None)

    def pruned(self, position: int) -> None:
        """Positions come in order; those next to each other are kept as one stretch."""
        if self._lasts and self._lasts[-1] == position - 1:
            self._lasts[-1] = position
        else:
            self._firsts.append(position)
            self._lasts.append(position)

    def withheld(self) -> Iterator[int]:
        """Give the first position of each stretch that no entry of the log speaks of."""
        ranges = _joined(self._ranges)
        for first, last in zip(self._firsts, self._lasts, strict=True):
            if not any(low <= first and last <= high for low, high in ranges):
                yield first


def _joined(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return joined


def _number(said: Mapping[str, Any], name: str) -> int:
    value = cast("object", said.get(name))
    return value if type(value) is int else 0
