"""One event, proved to be in the log by a file that needs nothing else (C2SP tlog-proof)."""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Sequence
from dataclasses import dataclass

from minos_sdk.audit.checkpoints import Checkpoint, NotACheckpoint, read_checkpoint, unsigned_checkpoint
from minos_sdk.audit.entries import BrokenEntry, Place, place_of
from minos_sdk.audit.hashing import leaf_hash, root_from_path
from minos_sdk.audit.judging import keys_of
from minos_sdk.audit.notes import Forged, LogKey

_FORM = re.compile(
    rb"c2sp\.org/tlog-proof@v1\n(?:extra ([A-Za-z0-9+/]*={0,2})\n)?index (0|[1-9][0-9]{0,18})\n((?:[A-Za-z0-9+/]{43}=\n){0,63})\n"
)


class NotProved(ValueError):
    """A file does not prove its event. The message says why."""


@dataclass(frozen=True, slots=True)
class Proved:
    """`entry` is the event as it was hashed; it was at `position` when the log had the size of the checkpoint."""

    position: int
    entry: bytes
    place: Place
    checkpoint: Checkpoint


def verify_proof(raw: bytes, keys: Sequence[LogKey], *, entry: bytes | None = None) -> Proved:
    """Check a proof of one event. The entry is the one within (its extra data), unless one is given. Raises NotProved."""
    form = _FORM.match(raw)
    if form is None:
        raise NotProved("it is no proof of c2sp.org/tlog-proof@v1")
    proved = entry if entry is not None else _bytes(form[1] or b"")
    if not proved:
        raise NotProved("it brings no entry with it: give the entry beside it")
    path = [_bytes(line) for line in form[3].splitlines()]
    try:
        note = raw[form.end() :]
        checkpoint = read_checkpoint(note, keys_of(unsigned_checkpoint(note).origin, keys))
        place = place_of(proved)
    except (NotACheckpoint, Forged) as error:
        raise NotProved(f"its checkpoint: {error}") from None
    except BrokenEntry as error:
        raise NotProved(f"its entry: {error}") from None
    index = int(form[2])
    if root_from_path(index, checkpoint.size, leaf_hash(proved), path) != checkpoint.root:
        raise NotProved(f"its hashes do not lead from this entry at position {index + 1} to the root that was signed")
    return Proved(index + 1, proved, place, checkpoint)


def _bytes(encoded: bytes) -> bytes:
    try:
        return b64decode(encoded, validate=True)
    except NotBase64:
        raise NotProved("it holds something that is no base64") from None
