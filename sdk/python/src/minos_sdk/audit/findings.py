"""What is wrong, and where."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from minos_sdk.audit.announced import Loss


class Kind(StrEnum):
    """Names of what can be wrong; the same ones that `minos audit verify` says."""

    ENTRY_CHANGED = "entry_changed"
    ENTRY_MISSING = "entry_missing"
    ENTRIES_SWAPPED = "entries_swapped"
    ENTRY_BROKEN = "entry_broken"
    ENTRY_WITHHELD = "entry_withheld"
    TILE_CHANGED = "tile_changed"
    TILE_MISSING = "tile_missing"
    STREAM_GAP = "stream_gap"
    STREAM_REPEATS = "stream_repeats"
    HISTORY_REWRITTEN = "history_rewritten"
    TAIL_DROPPED = "tail_dropped"
    CHECKPOINT_DIFFERS = "checkpoint_differs"
    CHECKPOINT_FORGED = "checkpoint_forged"
    CHECKPOINT_BROKEN = "checkpoint_broken"
    BUNDLE_DAMAGED = "bundle_damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`size` and `epoch` are those of a checkpoint, `tile` is level and number, `path` a file of the bundle."""

    kind: Kind
    words: str
    position: int | None = None
    stream: str | None = None
    version: int | None = None
    size: int | None = None
    epoch: int | None = None
    tile: tuple[int, int] | None = None
    path: str | None = None

    def as_json(self) -> Mapping[str, object]:
        return {name: value for name, value in asdict(self).items() if value is not None}

    def __str__(self) -> str:
        return f"{self.kind.value}: {self.words}"


class Findings:
    """All that is found, of each kind as many as somebody would read; the others are counted."""

    MOST = 100

    def __init__(self) -> None:
        self.counts: Counter[Kind] = Counter()
        self.kept: list[Finding] = []

    def add(self, finding: Finding) -> None:
        self.counts[finding.kind] += 1
        if self.counts[finding.kind] <= self.MOST:
            self.kept.append(finding)

    def replace(self, gone: Sequence[Finding], by: Finding) -> None:
        """Say one thing instead of several that it explains."""
        self.kept = [finding for finding in self.kept if finding not in gone]
        self.counts.subtract(finding.kind for finding in gone)
        self.add(by)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was checked, and what is wrong. `remarks` are no faults: what an auditor should know all the same."""

    origin: str
    epoch: int
    size: int
    root: bytes
    entries: int
    pruned: int
    checkpoints: int
    streams: int
    seconds: float
    findings: Sequence[Finding] = ()
    counts: Mapping[Kind, int] = field(default_factory=dict[Kind, int])
    remarks: Sequence[str] = ()
    lost: Sequence[Loss] = ()
    """What was published once and is not of this log, as the log itself says."""

    @property
    def holds(self) -> bool:
        return not self.findings
