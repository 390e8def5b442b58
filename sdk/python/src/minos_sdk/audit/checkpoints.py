"""Checkpoints (C2SP tlog-checkpoint): how large a log was, and the root over all of it, signed."""

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable
from dataclasses import dataclass

from minos_sdk.audit.notes import LogKey, NotANote, read_note

_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


class NotACheckpoint(ValueError):
    """A note's text is not that of a checkpoint. The message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"checkpoint of {self.origin} at size {self.size}"


def read_checkpoint(raw: bytes, keys: Iterable[LogKey]) -> Checkpoint:
    """Give what a checkpoint says, once the key of its own origin is found to have signed it. Raises NotACheckpoint, Forged."""
    try:
        note = read_note(raw)
    except NotANote as error:
        raise NotACheckpoint(str(error)) from None
    checkpoint = _of_text(note.text)
    note.demand_signature(key for key in keys if key.name == checkpoint.origin)
    return checkpoint


def unsigned_checkpoint(raw: bytes) -> Checkpoint:
    """Give what a checkpoint says, whoever signed it: to say which one is wrong, never to believe it. Raises NotACheckpoint."""
    try:
        return _of_text(read_note(raw).text)
    except NotANote as error:
        raise NotACheckpoint(str(error)) from None


def _of_text(text: str) -> Checkpoint:
    lines = text[:-1].split("\n")
    if len(lines) < 3 or not all(lines):
        raise NotACheckpoint("it does not say an origin, a size and a root")
    origin, size, encoded = lines[:3]
    try:
        root = b64decode(encoded, validate=True)
    except NotBase64:
        root = b""
    if not _NUMBER.fullmatch(size) or len(root) != 32 or b64encode(root).decode() != encoded:
        raise NotACheckpoint("its size is no number, or its root no SHA-256")
    return Checkpoint(origin, int(size), root)
