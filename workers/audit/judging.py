"""Published checkpoints held against the tree. That each is of this one tree is consistency between all of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from adapters.checkpoint_key import LogName
from domain.tree.checkpoint import BadCheckpoint, read_checkpoint
from domain.tree.note import BadNote, Note, read_note
from workers.audit.findings import Finding, Findings, Kind

PUBLISHED, SECOND_PLACE = "published", "second place"


@dataclass(frozen=True, slots=True, order=True)
class Held:
    """A checkpoint whose signature holds, and where it came from."""

    size: int
    epoch: int
    root: bytes
    source: str


class Signed:
    """Reads signed checkpoints of one log, of any of its epochs, and says which are not to be believed."""

    def __init__(self, names: Sequence[LogName], findings: Findings) -> None:
        """`names`: what the log may be called, each with its key."""
        self._names = names
        self._keys = {name.public: Ed25519PublicKey.from_public_bytes(name.public) for name in names}
        self._findings = findings

    def read(self, source: str, note: str, *, epoch: int, size: int | None = None, root: bytes | None = None) -> Held | None:
        """Give what a note says, once it is signed by the log, of that epoch, and of the size and root it is filed under."""
        try:
            read = read_note(note)
            said = read_checkpoint(read.text)
        except (BadNote, BadCheckpoint) as error:
            self._add(Kind.CHECKPOINT_BROKEN, f"{source}: {error}", size, epoch)
            return None
        wrong = self._unsigned(read, said.origin, epoch)
        if wrong is not None:
            words = f"{source}: the checkpoint of {said.origin} at size {said.size} is not signed by the log: {wrong}"
            self._add(Kind.CHECKPOINT_FORGED, words, said.size, epoch)
            return None
        if size not in {None, said.size} or root not in {None, said.root}:
            words = f"{source}: what is signed is size {said.size} and its root, and it is filed under size {size} and a root"
            self._add(Kind.CHECKPOINT_BROKEN, words, said.size, epoch)
            return None
        return Held(said.size, epoch, said.root, source)

    def _unsigned(self, note: Note, origin: str, epoch: int) -> str | None:
        """Say why it is not signed by the log of this name in this epoch."""
        name = next((name for name in self._names if name.origin(epoch) == origin), None)
        if name is None:
            return f"no key of it in epoch {epoch} is known"
        signature = note.by(name.verifier(epoch))
        if signature is None:
            return "it bears no signature of the log's key"
        try:
            self._keys[name.public].verify(signature.value, note.text.encode())
        except InvalidSignature:
            return "its signature does not hold"
        return None

    def _add(self, kind: Kind, words: str, size: int | None, epoch: int) -> None:
        self._findings.add(Finding(kind=kind, words=words, size=size, epoch=epoch))


@dataclass(slots=True)
class _Run:
    """Checkpoints of one epoch and source, one after the other, that are not of this tree; up to size `after` they were."""

    first: Held
    after: int


class Judge:
    """Is told of each checkpoint whether it has the tree's root, and says at the end what that means."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._runs: dict[tuple[int, str], _Run] = {}
        self._beyond: dict[tuple[int, str], Held] = {}
        self._agreed: dict[str, int] = {}
        self._last: tuple[int, int, bytes] | None = None
        self.count = 0
        """Checkpoints, each once, whatever number of places have it."""

    def told(self, held: Held, *, same: bool) -> None:
        self._counted(held)
        if same:
            self._agreed[held.source] = held.size
            run = self._runs.pop((held.epoch, held.source), None)
            if run is not None:
                self._differs(run.first)
        else:
            self._runs.setdefault((held.epoch, held.source), _Run(held, self._agreed.get(held.source, 0)))

    def beyond(self, held: Held) -> None:
        """A checkpoint of more entries than there are."""
        self._counted(held)
        self._beyond.setdefault((held.epoch, held.source), held)

    def _counted(self, held: Held) -> None:
        """They come by size: the same one comes again at once."""
        this = (held.size, held.epoch, held.root)
        self.count += this != self._last
        self._last = this

    def end(self, size: int, kept: Callable[[int], int | None], *, tiled: int, may_end_early: bool) -> Sequence[str]:
        """Give what is no fault and yet to be known. `tiled`: of so many entries there are stored hashes; `may_end_early`: a copy is
        checked, which may be older than what was published."""
        remarks: list[str] = []
        for key in sorted({*self._runs, *self._beyond}):
            epoch, _ = key
            run, beyond = self._runs.get(key), self._beyond.get(key)
            agreed = kept(epoch)
            first = min(([] if run is None else [run.first]) + ([] if beyond is None else [beyond]))
            if agreed is not None and first.size > agreed:
                remarks.append(f"{first.source}: all of epoch {epoch} behind position {agreed} was lost when a later one was opened")
                continue
            if run is not None and (run.first.source != SECOND_PLACE or (epoch, PUBLISHED) not in self._runs):
                self._rewritten(run, tiled)
            if beyond is not None and may_end_early:
                remarks.append(f"{beyond.source}: published up to size {beyond.size}, the copy ends at {size}")
            elif beyond is not None:
                words = f"{beyond.source}: published up to size {beyond.size}, and there are {size} entries"
                self._findings.add(Finding(kind=Kind.TAIL_DROPPED, words=words, position=size + 1, size=beyond.size, epoch=epoch))
        return remarks

    def _rewritten(self, run: _Run, tiled: int) -> None:
        first = run.first
        unhashed = "" if first.size <= tiled else f", of which there are none yet behind position {tiled}"
        words = (
            f"{first.source}: entries and tiles have another root at size {first.size} than was signed, up to size {run.after} the same: "
            f"something at positions {run.after + 1} to {first.size} was changed, put in or taken out, and the tiles made to fit{unhashed}"
        )
        self._findings.add(Finding(kind=Kind.HISTORY_REWRITTEN, words=words, position=run.after + 1, size=first.size, epoch=first.epoch))

    def _differs(self, held: Held) -> None:
        words = f"{held.source}: the checkpoint at size {held.size} is of another tree, later ones are of this: two histories were signed"
        self._findings.add(Finding(kind=Kind.CHECKPOINT_DIFFERS, words=words, size=held.size, epoch=held.epoch))
