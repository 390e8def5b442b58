"""What the log says was done to the log: payloads that went, partitions that lie elsewhere, epochs that began."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import assert_never

from domain.log import EpochOpened, LogEvent, LogPruned, PartitionAttached, PartitionDetached, PartitionSealed


@dataclass(frozen=True, slots=True)
class Announced:
    """Ranges of positions, both ends in them; of each opened epoch the size up to which the earlier log is its beginning."""

    pruned: Sequence[tuple[int, int]]
    detached: Sequence[tuple[int, int]]
    opened: Sequence[tuple[int, int]]

    def may_be_pruned(self, position: int) -> bool:
        return any(first <= position <= last for first, last in self.pruned)

    def is_detached(self, position: int) -> bool:
        return any(first <= position <= last for first, last in self.detached)

    def kept(self, epoch: int) -> int | None:
        """Give up to which size an earlier epoch is the beginning of this log; None for the newest."""
        return min((agreed for opened, agreed in self.opened if opened > epoch), default=None)


def announced(events: Iterable[LogEvent]) -> Announced:
    pruned: list[tuple[int, int]] = []
    detached: dict[int, tuple[int, int]] = {}
    opened: list[tuple[int, int]] = []
    for event in events:
        match event:
            case LogPruned():
                pruned.append((event.first_position, event.last_position))
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
    return Announced(_joined(pruned), _joined(detached.values()), opened)


def _joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined
