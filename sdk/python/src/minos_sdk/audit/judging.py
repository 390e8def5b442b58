"""Checkpoints held against the tree. That each is of this one tree is consistency between all of them."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import merge
from itertools import chain

from minos_sdk.audit.announced import Loss
from minos_sdk.audit.bundle import CHECKPOINTS, Bundle, Unreadable
from minos_sdk.audit.checkpoints import Checkpoint, NotACheckpoint, read_checkpoint, unsigned_checkpoint
from minos_sdk.audit.findings import Finding, Findings, Kind
from minos_sdk.audit.notes import Forged, LogKey

_LATER = re.compile(r"(.+)/([2-9]|[1-9][0-9]{1,8})")


def epoch_of(origin: str) -> tuple[str, int]:
    """Give the origin of the first epoch, and which one this is: `.../log` is the first, `.../log/2` the second."""
    later = _LATER.fullmatch(origin)
    return (later[1], int(later[2])) if later else (origin, 1)


def keys_of(origin: str, known: Iterable[LogKey]) -> list[LogKey]:
    """Give those of them that are this log's, whatever its epoch was when they were noted down."""
    return [key.under(origin) for key in known if epoch_of(key.name)[0] == epoch_of(origin)[0]]


@dataclass(frozen=True, slots=True, order=True)
class Held:
    """A checkpoint to be checked, and where it came from."""

    size: int
    epoch: int
    root: bytes
    source: str
    series: str = ""
    """Of the bundle, or a name of one that was kept: each is judged for itself."""


class Reader:
    """Reads checkpoints and says which are not to be believed."""

    def __init__(self, bundle: Bundle, keys: Sequence[LogKey], findings: Findings) -> None:
        self._bundle = bundle
        self._keys = keys
        self._findings = findings
        self._log, _ = epoch_of(bundle.manifest.origin)
        self.newest_root = self._newest_root()

    def all(self, kept: Sequence[tuple[str, bytes]]) -> Iterator[Held]:
        """Give those whose signature holds, the smallest first: of the bundle, and those an auditor kept (name and bytes)."""
        epochs: dict[str, list[str]] = {}
        for path in sorted(self._bundle.manifest.files):
            if CHECKPOINTS.fullmatch(path):
                epochs.setdefault(path.rpartition("/")[0], []).append(path)
        series = [self._rising(chain.from_iterable(map(self._of_file, paths))) for paths in epochs.values()]
        newest = self._read("checkpoint", self._newest())
        own = [held for name, raw in kept if (held := self._read(name, raw)) is not None]
        return merge(*series, sorted([*([] if newest is None else [newest]), *(replace(held, series=held.source) for held in own)]))

    def _newest(self) -> bytes:
        try:
            return self._bundle.checkpoint()
        except Unreadable:
            return b""

    def _newest_root(self) -> bytes:
        """Give the root the bundle's checkpoint says, once it is of the whole bundle; who signed it is asked with all the others."""
        manifest = self._bundle.manifest
        try:
            said = unsigned_checkpoint(self._newest())
        except NotACheckpoint:
            return b""
        if (said.origin, said.size) != (manifest.origin, manifest.size):
            words = f"the newest is the {said}, and the bundle is one of {manifest.origin} at size {manifest.size}"
            self._findings.add(Finding(kind=Kind.CHECKPOINT_BROKEN, words=words, size=said.size, path="checkpoint"))
        return said.root

    def _of_file(self, path: str) -> Iterator[Held]:
        try:
            for raw in self._bundle.checkpoints(path):
                held = self._read(path, raw)
                if held is not None:
                    yield held
        except Unreadable as error:
            self._findings.add(Finding(kind=Kind.CHECKPOINT_BROKEN, words=str(error), path=error.path))

    def _rising(self, series: Iterable[Held]) -> Iterator[Held]:
        last = -1
        for held in series:
            if held.size <= last:
                words = f"{held.source}: size {held.size} comes after size {last}"
                self._findings.add(Finding(kind=Kind.CHECKPOINT_BROKEN, words=words, size=held.size, epoch=held.epoch, path=held.source))
                continue
            last = held.size
            yield held

    def _read(self, source: str, raw: bytes) -> Held | None:
        try:
            return self._held(source, read_checkpoint(raw, self._keys_of(raw)))
        except NotACheckpoint as error:
            self._findings.add(Finding(kind=Kind.CHECKPOINT_BROKEN, words=f"{source}: {error}", path=source))
        except Forged as error:
            said = unsigned_checkpoint(raw)
            words = f"{source}: the {said} is not signed by the log: {error}"
            epoch = epoch_of(said.origin)[1]
            self._findings.add(Finding(kind=Kind.CHECKPOINT_FORGED, words=words, size=said.size, epoch=epoch, path=source))
        return None

    def _keys_of(self, raw: bytes) -> Iterable[LogKey]:
        """Give the keys under the name that the log has in the checkpoint's epoch: its bytes stay, its name tells the epoch."""
        return keys_of(unsigned_checkpoint(raw).origin, self._keys)

    def _held(self, source: str, checkpoint: Checkpoint) -> Held:
        log, epoch = epoch_of(checkpoint.origin)
        if log != self._log:
            raise NotACheckpoint(f"it is of another log, {checkpoint.origin}")
        return Held(checkpoint.size, epoch, checkpoint.root, source)


@dataclass(slots=True)
class _Run:
    """Checkpoints of one epoch and series, one after the other, that are not of this tree; up to size `after` they were."""

    first: Held
    after: int


class Judge:
    """Is told of each checkpoint whether it has the tree's root, and says at the end what that means."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._runs: dict[tuple[int, str], _Run] = {}
        self._agreed: dict[str, int] = {}
        self._beyond: dict[tuple[int, str], Held] = {}
        self._last: tuple[int, int, bytes] | None = None
        self.count = 0
        """Checkpoints, each once, whatever number of places have it."""

    def told(self, held: Held, *, same: bool) -> None:
        self._counted(held)
        key = (held.epoch, held.series)
        if same:
            self._agreed[held.series] = held.size
            if key in self._runs:
                self._differs(self._runs.pop(key))
        else:
            self._runs.setdefault(key, _Run(held, self._agreed.get(held.series, 0)))

    def beyond(self, held: Held) -> None:
        """A checkpoint of more entries than there are."""
        self._counted(held)
        self._beyond.setdefault((held.epoch, held.series), held)

    def _counted(self, held: Held) -> None:
        """They come by size: the same one comes again at once."""
        this = (held.size, held.epoch, held.root)
        self.count += this != self._last
        self._last = this

    def end(self, size: int, loss: Callable[[int, int], Loss | None]) -> Sequence[Loss]:
        """Give what checkpoints show to be lost where the log says so: `loss` is asked by a checkpoint's epoch and size."""
        lost: list[Loss] = []
        for key in sorted({*self._runs, *self._beyond}):
            epoch, _ = key
            run, beyond = self._runs.get(key), self._beyond.get(key)
            first = min(([] if run is None else [run.first]) + ([] if beyond is None else [beyond]))
            if (said := loss(epoch, first.size)) is not None:
                lost.append(said)
                continue
            if run is not None:
                self._rewritten(run)
            if beyond is not None:
                words = f"{beyond.source}: a checkpoint was signed at size {beyond.size}, and there are {size} entries"
                self._findings.add(Finding(kind=Kind.TAIL_DROPPED, words=words, position=size + 1, size=beyond.size, epoch=epoch))
        return lost

    def _rewritten(self, run: _Run) -> None:
        first = run.first
        words = (
            f"{first.source}: entries and tiles have another root at size {first.size} than was signed, up to size {run.after} the same: "
            f"something at positions {run.after + 1} to {first.size} was changed, put in or taken out, and the tiles made to fit"
        )
        self._findings.add(Finding(kind=Kind.HISTORY_REWRITTEN, words=words, position=run.after + 1, size=first.size, epoch=first.epoch))

    def _differs(self, run: _Run) -> None:
        first = run.first
        words = f"{first.source}: the checkpoint at size {first.size} is of another tree, later ones are of this: two histories were signed"
        self._findings.add(Finding(kind=Kind.CHECKPOINT_DIFFERS, words=words, size=first.size, epoch=first.epoch))
