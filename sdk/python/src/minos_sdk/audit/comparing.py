"""What a small witness does with each checkpoint that it meets: hold it against the largest one before, and never let go of that."""

from base64 import b64decode
from binascii import Error as NotBase64
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

from minos_sdk.audit.checkpoints import Checkpoint, NotACheckpoint, read_checkpoint, unsigned_checkpoint
from minos_sdk.audit.consistency import is_beginning
from minos_sdk.audit.notes import Forged, LogKey
from minos_sdk.call_errors import Unreachable
from minos_sdk.steps import Answered, Ask, Plan, Retries, answered, refused

PROOF = "/api/v1/audit/proofs/consistency"
_TOO_SMALL = "tree_too_small"
_MOST_FORKS = 100


class ForkKind(StrEnum):
    """What contradicts what."""

    FORKED = "forked"
    """Two roots of one size, both signed: the log has convicted itself."""
    SHRUNK = "shrunk"
    """The log says that it has fewer entries than it signed for: it was set back, or shows another one."""
    UNPROVED = "unproved"
    """The log gave a proof that does not lead from the one checkpoint to the other."""


@dataclass(frozen=True, slots=True)
class Fork:
    """The evidence: two checkpoints that the log signed, as it signed them. `kept` was seen first."""

    kind: ForkKind
    kept: str
    other: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A checkpoint and the note that says it."""

    checkpoint: Checkpoint
    note: str


class Comparer:
    """`last_seen` is the largest checkpoint that continues all before it. Nothing that contradicts it ever takes its place."""

    def __init__(self, key: LogKey, last_seen: Seen | None, retries: Retries) -> None:
        self.last_seen = last_seen
        self.counts: Counter[str] = Counter()
        self.forks: list[Fork] = []
        self._key, self._retries = key, retries
        self._path = "/" + "/".join(["log", *_epoch_of(key.name)])

    def look(self, told: Iterable[str]) -> Plan[bool]:
        """Compare what was told elsewhere and what the log itself serves. Gives whether it was all compared."""
        self.counts["looks"] += 1
        notes = list(told)
        whole = yield from self._whether_answered(self._add_served(notes))
        for note in notes:
            whole = (yield from self._whether_answered(self._compare(note))) and whole
        return whole

    def _whether_answered(self, plan: Plan[bool]) -> Plan[bool]:
        try:
            return (yield from plan)
        except Unreachable:
            self.counts["unanswered"] += 1
            return False

    def _add_served(self, notes: list[str]) -> Plan[bool]:
        answer = yield from answered(Ask("GET", f"{self._path}/checkpoint", safe=True), self._retries)
        if answer.status != 200:
            return self._refused(answer)
        notes.append(answer.body.decode("utf-8", "replace"))
        return True

    def _compare(self, note: str) -> Plan[bool]:
        met = self._read(note)
        if met is None:
            return False
        seen = self.last_seen
        if seen is None or met.checkpoint == seen.checkpoint:
            self._keep(met)
            return True
        if met.checkpoint.size == seen.checkpoint.size:
            self._tell(ForkKind.FORKED, met)
            return True
        first, second = sorted((met, seen), key=lambda each: each.checkpoint.size)
        answer = yield from answered(
            Ask("GET", f"{PROOF}?first={first.checkpoint.size}&second={second.checkpoint.size}", safe=True), self._retries
        )
        if answer.status != 200:
            return self._refused(answer, of=met)
        if not is_beginning(_of(first), _of(second), _hashes(answer.json)):
            self._tell(ForkKind.UNPROVED, met)
        elif second is met:
            self._keep(met)
        else:
            self.counts["older"] += 1  # an answer kept somewhere on the way, or one that waits for its witnesses
        return True

    def _read(self, note: str) -> Seen | None:
        """None for what this log has not signed, which says nothing of it."""
        try:
            return Seen(read_checkpoint(note.encode(), [self._key]), note)
        except (NotACheckpoint, Forged):
            self.counts["other_log" if _is_of_another(note, self._key) else "unsigned"] += 1
            return None

    def _keep(self, met: Seen) -> None:
        grown = self.last_seen is None or met.checkpoint.size > self.last_seen.checkpoint.size
        self.counts["grown" if grown else "same"] += 1
        if grown:
            self.last_seen = met

    def _refused(self, answer: Answered, *, of: Seen | None = None) -> bool:
        if of is not None and answer.status == 409 and refused(answer).code == _TOO_SMALL:
            self._tell(ForkKind.SHRUNK, of)
            return True
        self.counts["refused"] += 1
        return False

    def _tell(self, kind: ForkKind, other: Seen) -> None:
        """Once for each pair, however often it is met."""
        self.counts[kind.value] += 1
        if self.last_seen is not None and len(self.forks) < _MOST_FORKS:
            fork = Fork(kind, self.last_seen.note, other.note)
            if all((fork.kept, fork.other) != (known.kept, known.other) for known in self.forks):
                self.forks.append(fork)


def _of(seen: Seen) -> tuple[int, bytes]:
    return seen.checkpoint.size, seen.checkpoint.root


def _hashes(told: Any) -> Sequence[bytes]:
    """Raises Unreachable for what is no proof of any kind: whoever answered, it was not Minos."""
    hashes: object = cast("dict[str, object]", told).get("hashes") if isinstance(told, dict) else None
    if not isinstance(hashes, list) or not all(isinstance(each, str) for each in cast("list[object]", hashes)):
        raise Unreachable("Something that is not Minos answered.")
    try:
        return [b64decode(each, validate=True) for each in cast("list[str]", hashes)]
    except NotBase64:
        raise Unreachable("Something that is not Minos answered.") from None


def _is_of_another(note: str, key: LogKey) -> bool:
    try:
        return unsigned_checkpoint(note.encode()).origin != key.name
    except NotACheckpoint:
        return False


def _epoch_of(origin: str) -> Sequence[str]:
    """Epochs after the first have their number behind `/log` (docs/reference/log-format.md)."""
    last = origin.rpartition("/log/")[2]
    return [last] if origin.endswith(f"/log/{last}") and last.isascii() and last.isdigit() else []
