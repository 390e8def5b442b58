"""What the log says was done to the log: payloads that went, partitions that lie elsewhere, epochs that began."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import assert_never

from domain.log import EpochOpened, LogEvent, LogPruned, PartitionAttached, PartitionDetached, PartitionSealed

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Announced:
    """Ranges of positions, both ends in them; of each opened epoch the size up to which the earlier log is its beginning."""

    pruned: Sequence[tuple[Range, int]]
    """With how many payloads went there."""
    detached: Sequence[Range]
    opened: Sequence[tuple[int, int]]

    def pruned_at(self, position: int) -> Range | None:
        """Give the range that a payload at this position may have gone with."""
        return next((of for of, _ in self.pruned if of[0] <= position <= of[1]), None)

    def is_detached(self, position: int) -> bool:
        return any(first <= position <= last for first, last in self.detached)

    def kept(self, epoch: int) -> int | None:
        """Give up to which size an earlier epoch is the beginning of this log; None for the newest."""
        return min((agreed for opened, agreed in self.opened if opened > epoch), default=None)


def announced(events: Iterable[LogEvent]) -> Announced:
    pruned: list[tuple[Range, int]] = []
    detached: dict[int, Range] = {}
    opened: list[tuple[int, int]] = []
    for event in events:
        match event:
            case LogPruned():
                pruned.append(((event.first_position, event.last_position), event.count))
            case PartitionDetached():
                detached[event.partition] = (event.first_position, event.last_position)
            case PartitionAttached():
                detached.pop(event.partition, None)
            case EpochOpened():
                opened.append((event.epoch, event.agreed))
            case PartitionSealed():
                pass
            case _:
                assert_never(event)
    return Announced(_joined(pruned), [of for of, _ in _joined((of, 0) for of in detached.values())], opened)


def _joined(ranges: Iterable[tuple[Range, int]]) -> list[tuple[Range, int]]:
    """Put together what borders on each other or overlaps, with the sum of what is said of it."""
    joined: list[tuple[Range, int]] = []
    for (first, last), count in sorted(ranges):
        if joined and first <= joined[-1][0][1] + 1:
            (low, high), before = joined[-1]
            joined[-1] = (low, max(last, high)), before + count
        else:
            joined.append(((first, last), count))
    return joined
