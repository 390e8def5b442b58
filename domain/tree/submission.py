"""A checkpoint as it is handed to a witness, with the proof that it continues what the witness saw last (C2SP tlog-witness)."""

import base64
import binascii
import re
from collections.abc import Sequence

from msgspec import Struct

from domain.tree.checkpoint import BadCheckpoint, Checkpoint, read_checkpoint
from domain.tree.hashing import HASH_BYTES
from domain.tree.note import MOST_SIGNATURES, BadNote, Note, Signature, read_note, signature_line, write_note

LONGEST_SUBMISSION = 131_072
"""63 hashes and a note with 16 signatures of the longest kind there is have place in it."""
MOST_HASHES = 63
SIZE_TYPE = "text/x.tlog.size"
_LARGEST = 2**63 - 1
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")
_SIZE = re.compile(r"(0|[1-9][0-9]{0,18})\n")


class BadSubmission(ValueError):
    """A request is no submission of a checkpoint. The message says in what."""


class Submission(Struct, frozen=True, kw_only=True):
    """`old`: the size that the witness is believed to have seen last; `path` proves `note`'s tree to continue that one."""

    old: int
    path: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint


def write_submission(old: int, path: Sequence[bytes], note: str) -> bytes:
    return "\n".join([f"old {old}", *(base64.b64encode(each).decode() for each in path), "", note]).encode()


def read_submission(raw: bytes) -> Submission:
    """Raises BadSubmission."""
    if len(raw) > LONGEST_SUBMISSION:
        raise BadSubmission(f"it is longer than {LONGEST_SUBMISSION} bytes")
    try:
        above, divided, written = raw.decode().partition("\n\n")
        note = read_note(written)
        checkpoint = read_checkpoint(note.text)
    except (BadNote, BadCheckpoint) as bad:
        raise BadSubmission(str(bad)) from None
    except UnicodeDecodeError:
        raise BadSubmission("it is not UTF-8") from None
    old, *hashes = above.split("\n")
    said = _OLD.fullmatch(old)
    if said is None or not divided:
        raise BadSubmission("it begins with a line `old <size>`, hashes and an empty line")
    if max(int(said[1]), checkpoint.size) > _LARGEST:
        raise BadSubmission("no log is so large")
    if len(hashes) > MOST_HASHES:
        raise BadSubmission(f"it has more than {MOST_HASHES} hashes")
    return Submission(old=int(said[1]), path=tuple(map(_hash, hashes)), note=note, checkpoint=checkpoint)


def read_size(body: str) -> int | None:
    """Read what a witness that is elsewhere says of where it is. None where it says nothing of the kind."""
    said = _SIZE.fullmatch(body)
    return None if said is None else int(said[1])


def read_answer(body: str) -> Sequence[Signature]:
    """Read the signatures that a witness gives. Raises BadNote."""
    return read_note(f"answer\n\n{body}").signatures


def with_signatures(note: Note, signatures: Sequence[Signature]) -> str:
    """Give the note with these below those it has, as far as there is place for them."""
    known = {each.by for each in note.signatures}
    new = [each for each in signatures if each.by not in known]
    return write_note(note.text, [*note.signatures, *new][:MOST_SIGNATURES])


def write_answer(signatures: Sequence[Signature]) -> str:
    return "".join(map(signature_line, signatures))


def _hash(line: str) -> bytes:
    try:
        value = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        value = b""
    if len(value) != HASH_BYTES or base64.b64encode(value).decode() != line:
        raise BadSubmission("each hash is 32 bytes in base64, a line of its own")
    return value
