"""What the log says of itself: which entries were pruned, and up to where an epoch was kept when a later one was opened."""

import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

_PRUNED, _DETACHED = "log.pruned.v1", "log.detached.v1"
_OPENED = "log.epoch_opened.v1"


class _Range(NamedTuple):
    """Positions, both ends in it, and how many entries may be held back there."""

    first: int
    last: int
    most: int


class Loss(NamedTuple):
    """When `epoch` was opened, entries behind position `kept` had been published up to `published`, and others are there now."""

    epoch: int
    kept: int
    published: int

    def __str__(self) -> str:
        lost = f"entries behind position {self.kept} were lost when epoch {self.epoch} was opened"
        return f"{lost}: they had been published up to size {self.published}, and others are there now"


class Withheld(NamedTuple):
    position: int
    words: str


class Announced:
    """Is given the entries of the stream `log`, and the positions at which there is only a hash."""

    def __init__(self) -> None:
        self._pruned: list[_Range] = []
        self._detached: list[_Range] = []
        self._firsts = array("Q")
        self._lasts = array("Q")
        self._opened: list[Loss] = []

    def entry(self, kind: str, entry: bytes) -> None:
        said: Mapping[str, Any] = json.loads(entry)["payload"]
        first, last = _number(said, "first_position"), _number(said, "last_position")
        if kind == _PRUNED:
            self._pruned.append(_Range(first, last, _number(said, "count")))
        elif kind == _DETACHED:
            self._detached.append(_Range(first, last, last - first + 1))
        elif kind == _OPENED:
            earlier = cast("dict[str, object]", said.get("earlier") if isinstance(said.get("earlier"), dict) else {})
            self._opened.append(Loss(_number(said, "epoch"), _number(said, "agreed"), _number(earlier, "size")))

    def loss(self, epoch: int, size: int) -> Loss | None:
        """Give what took entries of an earlier epoch away, where the opening of a later one says that it did: some before `size`."""
        later = min((each for each in self._opened if each.epoch > epoch), key=lambda each: each.kept, default=None)
        return later._replace(published=size) if later is not None and size > later.kept else None

    def losses(self) -> Sequence[Loss]:
        """Give what the openings themselves say was lost."""
        return [each for each in self._opened if each.published > each.kept]

    def pruned(self, position: int) -> None:
        """Positions come in order; those next to each other are kept as one stretch."""
        if self._lasts and self._lasts[-1] == position - 1:
            self._lasts[-1] = position
        else:
            self._firsts.append(position)
            self._lasts.append(position)

    def withheld(self) -> Iterator[Withheld]:
        """Give each stretch that no entry of the log speaks of, and each range in which more is held back than was pruned there."""
        pruned, detached = _joined(self._pruned), _joined(self._detached)
        either = _joined([*pruned, *detached])
        found = [0] * len(pruned)
        for first, last in zip(self._firsts, self._lasts, strict=True):
            if not any(each.first <= first and last <= each.last for each in either):
                yield Withheld(first, f"the entry at position {first} is held back, and no entry of the log says that it was pruned")
            for at, each in enumerate(pruned):
                low, high = max(first, each.first), min(last, each.last)
                found[at] += _length(low, high) - sum(_length(max(low, away.first), min(high, away.last)) for away in detached)
        for count, each in zip(found, pruned, strict=True):
            if count > each.most:
                where = f"{count} entries at positions {each.first} to {each.last}"
                yield Withheld(each.first, f"{where} are held back, and the log says that {each.most} were pruned")


def _joined(ranges: Sequence[_Range]) -> list[_Range]:
    """Put together what borders on each other or overlaps, with the sum of what is said of it."""
    joined: list[_Range] = []
    for each in sorted(ranges):
        if joined and each.first <= joined[-1].last + 1:
            before = joined[-1]
            joined[-1] = _Range(before.first, max(each.last, before.last), before.most + each.most)
        else:
            joined.append(each)
    return joined


def _length(first: int, last: int) -> int:
    return max(0, last - first + 1)


def _number(said: Mapping[str, Any], name: str) -> int:
    value = cast("object", said.get(name))
    return value if type(value) is int else 0
