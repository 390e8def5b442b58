"""What is wrong with a log, and where."""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

from domain.ids import StreamName


class Kind(StrEnum):
    """The SDK's verifier says the same names (`minos_sdk.audit.Kind`), of what it can see."""

    ENTRY_CHANGED = "entry_changed"
    """An event is not the one that was hashed."""
    ENTRY_MISSING = "entry_missing"
    ENTRIES_SWAPPED = "entries_swapped"
    ENTRY_BROKEN = "entry_broken"
    """No entry can be made of it, or no event read from it."""
    ENTRY_WITHHELD = "entry_withheld"
    """Its payload is gone, and nothing in the log says that it was pruned."""
    TILE_CHANGED = "tile_changed"
    TILE_MISSING = "tile_missing"
    TIME_DIFFERS = "time_differs"
    """By what a moment becomes a position is not what the events say."""
    POSITIONS_BROKEN = "positions_broken"
    """Positions are not given once each, from 1 on."""
    STREAM_GAP = "stream_gap"
    STREAM_REPEATS = "stream_repeats"
    STREAM_DISORDER = "stream_disorder"
    """Versions of a stream and positions do not rise together."""
    HISTORY_REWRITTEN = "history_rewritten"
    """Entries and tiles agree with each other, and not with what was signed."""
    TAIL_DROPPED = "tail_dropped"
    CHECKPOINT_DIFFERS = "checkpoint_differs"
    CHECKPOINT_FORGED = "checkpoint_forged"
    CHECKPOINT_BROKEN = "checkpoint_broken"
    SECOND_PLACE_BEHIND = "second_place_behind"
    """A checkpoint was published without being kept there first."""
    HEAD_DIFFERS = "head_differs"
    READ_MODEL_DIFFERS = "read_model_differs"


class Finding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`size` and `epoch` are those of a checkpoint, `tile` is level and number, `model` a read model."""

    kind: Kind
    words: str
    position: int | None = None
    stream: StreamName | None = None
    version: int | None = None
    size: int | None = None
    epoch: int | None = None
    tile: tuple[int, int] | None = None
    model: str | None = None


class Findings:
    """All that is found, of each kind as many as somebody would read; the others are counted."""

    MOST = 100

    def __init__(self) -> None:
        self.counts: Counter[Kind] = Counter()
        self._kept: list[Finding] = []

    @property
    def kept(self) -> Sequence[Finding]:
        return tuple(self._kept)

    def add(self, finding: Finding) -> None:
        self.counts[finding.kind] += 1
        if self.counts[finding.kind] <= self.MOST:
            self._kept.append(finding)

    def include(self, others: "Findings") -> None:
        """Put to these what was found elsewhere."""
        kept = Counter(finding.kind for finding in self._kept)
        for finding in others.kept:
            kept[finding.kind] += 1
            if kept[finding.kind] <= self.MOST:
                self._kept.append(finding)
        self.counts.update(others.counts)
