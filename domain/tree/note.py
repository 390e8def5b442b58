"""Texts with signatures below them (C2SP signed-note). Who signs and who checks is not here."""

import base64
import binascii
import re
from collections.abc import Iterable
from hashlib import sha256

from msgspec import Struct

ED25519 = 1
COSIGNATURE = 4
"""Kinds of keys: Ed25519 over the text, and a witness's Ed25519 over the text and a time (C2SP tlog-cosignature)."""

LONGEST_NOTE = 1_000_000
MOST_SIGNATURES = 100
_KEY_ID_BYTES = 4
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]+")


class BadNote(ValueError):
    """No signed note, or no key of one. The message says in what."""


class KeyName(Struct, frozen=True):
    """Which key a signature is of: a name, and the first bytes of a digest of name, kind and key."""

    name: str
    key_id: bytes


class Signature(Struct, frozen=True, kw_only=True):
    by: KeyName
    value: bytes


class VerifierKey(Struct, frozen=True, kw_only=True):
    """The public half, as people hand it on in one line: `<name>+<id>+<base64 of kind and key>`."""

    name: str
    kind: int
    public: bytes

    @property
    def key_name(self) -> KeyName:
        digest = sha256(f"{self.name}\n".encode() + bytes([self.kind]) + self.public).digest()
        return KeyName(self.name, digest[:_KEY_ID_BYTES])

    def line(self) -> str:
        return f"{self.name}+{self.key_name.key_id.hex()}+{_encoded(bytes([self.kind]) + self.public)}"


class Note(Struct, frozen=True, kw_only=True):
    """`text` ends with a line break; signatures are over exactly it."""

    text: str
    signatures: tuple[Signature, ...]

    def by(self, key: VerifierKey) -> Signature | None:
        return next((each for each in self.signatures if each.by == key.key_name), None)


def write_note(text: str, signatures: Iterable[Signature]) -> str:
    return f"{text}\n" + "".join(signature_line(each) for each in signatures)


def signature_line(signature: Signature) -> str:
    return f"\N{EM DASH} {signature.by.name} {_encoded(signature.by.key_id + signature.value)}\n"


def read_note(written: str) -> Note:
    """Raises BadNote. Nothing is said of whether the signatures are good."""
    text, divided, below = written.rpartition("\n\n")
    if len(written) > LONGEST_NOTE or not divided or not text or not below.endswith("\n"):
        raise BadNote("a note is a text, an empty line and signatures, each a line")
    lines = below.removesuffix("\n").split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise BadNote("the note has too many signatures")
    if any(ord(char) < 32 and char != "\n" for char in written):
        raise BadNote("the note holds characters that are none of a text")
    return Note(text=f"{text}\n", signatures=tuple(_read_signature(line) for line in lines))


def read_key(line: str) -> VerifierKey:
    """Raises BadNote, also where the id is not that of the key."""
    name, _, rest = line.partition("+")
    key_id, _, encoded = rest.partition("+")
    blob = _decoded(encoded)
    if not check_name(name) or len(blob) < 2:
        raise BadNote("a key is one line: <name>+<id>+<base64 of kind and key>")
    key = VerifierKey(name=name, kind=blob[0], public=blob[1:])
    if key.key_name.key_id.hex() != key_id:
        raise BadNote("the id of the key is not that of its name and bytes")
    return key


def check_name(name: str) -> bool:
    """Tell whether a key may have this name: no space and no plus in it."""
    return _NAME.fullmatch(name) is not None


def _read_signature(line: str) -> Signature:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    blob = _decoded(encoded)
    if dash != "\N{EM DASH}" or not check_name(name) or len(blob) <= _KEY_ID_BYTES:
        raise BadNote("a line of signature is a dash, a name and base64")
    return Signature(by=KeyName(name, blob[:_KEY_ID_BYTES]), value=blob[_KEY_ID_BYTES:])


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadNote("this is no base64") from None
