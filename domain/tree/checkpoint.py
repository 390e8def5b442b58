"""What is signed of a tree (C2SP tlog-checkpoint), and a proof that can be handed on with it (C2SP tlog-proof)."""

import base64
import binascii
import re

from msgspec import Struct

from domain.tree.hashing import HASH_BYTES
from domain.tree.note import BadNote, read_note

PROOF_HEADER = "c2sp.org/tlog-proof@v1"
_LATER = re.compile(r"(.+/log)/([2-9]|[1-9][0-9]{1,8})")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


class BadCheckpoint(ValueError):
    """No checkpoint, or no proof. The message says in what."""


class Checkpoint(Struct, frozen=True, kw_only=True):
    """`origin` names the log; what `size` entries hash to is `root`."""

    origin: str
    size: int
    root: bytes

    @property
    def encoded_root(self) -> str:
        return _encoded(self.root)

    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{self.encoded_root}\n"


class Proof(Struct, frozen=True, kw_only=True):
    """That entry `index` is in the tree of the checkpoint that is in `note`."""

    index: int
    path: tuple[bytes, ...]
    note: str


def log_origin(issuer: str, epoch: int) -> str:
    """Name the log: where it is served, without the scheme. Each epoch is a log of its own."""
    where = issuer.partition("://")[2].replace("+", "%2B")  # a plus would divide the line of its key
    return f"{where}/log" if epoch == 1 else f"{where}/log/{epoch}"


def epoch_of(origin: str) -> tuple[str, int]:
    """Give what the log was called in its first epoch, and which epoch this name is of."""
    later = _LATER.fullmatch(origin)
    return (later[1], int(later[2])) if later else (origin, 1)


def read_checkpoint(text: str) -> Checkpoint:
    """Read the text of a note; lines after the third are others' business. Raises BadCheckpoint."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
        raise BadCheckpoint("a checkpoint is lines of origin, size and root")
    origin, size, root = lines[:3]
    if not _SIZE.fullmatch(size):
        raise BadCheckpoint("the size of a checkpoint is a number without leading zeros")
    return Checkpoint(origin=origin, size=int(size), root=_hash(root))


def write_proof(proof: Proof, *, extra: bytes = b"") -> str:
    """Write it, with the entry itself as extra data where it is given."""
    brought = [f"extra {_encoded(extra)}"] if extra else []
    return "\n".join([PROOF_HEADER, *brought, f"index {proof.index}", *map(_encoded, proof.path), "", proof.note])


def read_proof(written: str) -> Proof:
    """Raises BadCheckpoint. Extra data is left out: nobody vouches for it."""
    above, divided, note = written.partition("\n\n")
    header, *lines = above.split("\n")
    if header != PROOF_HEADER or not divided:
        raise BadCheckpoint(f"a proof begins with {PROOF_HEADER} and ends with a checkpoint")
    if lines and lines[0].startswith("extra "):
        lines = lines[1:]
    if not lines or not lines[0].startswith("index ") or not _SIZE.fullmatch(lines[0].removeprefix("index ")):
        raise BadCheckpoint("a proof says the index of its entry")
    try:
        read_note(note)
    except BadNote as bad:
        raise BadCheckpoint(str(bad)) from None
    return Proof(index=int(lines[0].removeprefix("index ")), path=tuple(_hash(line) for line in lines[1:]), note=note)


def _hash(text: str) -> bytes:
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        value = b""
    if len(value) != HASH_BYTES or _encoded(value) != text:
        raise BadCheckpoint("a hash is 32 bytes in base64")
    return value


def _encoded(value: bytes) -> str:
    return base64.b64encode(value).decode()
