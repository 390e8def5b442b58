"""Signed notes (C2SP signed-note): a text, and who signed it."""

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_ED25519 = 1
_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_LONGEST = 1_000_000
_MOST_SIGNATURES = 100


class NotAKey(ValueError):
    """A line is no verifier key of an Ed25519 log."""


class NotANote(ValueError):
    """Bytes are no signed note. The message says what is wrong with them."""


class Forged(ValueError):
    """A note bears no signature of the key it must be signed with, or one that does not hold."""


@dataclass(frozen=True, slots=True)
class LogKey:
    """The public key of a log under its name, as a line `name+id+base64` says it."""

    name: str
    key_id: bytes
    public: bytes

    @classmethod
    def parse(cls, line: str) -> "LogKey":
        """Raises NotAKey."""
        name, _, rest = line.strip().partition("+")
        said, _, encoded = rest.partition("+")
        try:
            material = b64decode(encoded, validate=True)
        except NotBase64:
            raise NotAKey(f"the key of {name} is no base64") from None
        if len(material) != 33 or material[0] != _ED25519:
            raise NotAKey(f"the key of {name} is not of Ed25519")
        key_id = _key_id(name, material[1:])
        if not name or said.lower() != key_id.hex():
            raise NotAKey(f"the id {said} is not that of this key under the name {name}")
        return cls(name, key_id, material[1:])

    def under(self, name: str) -> "LogKey":
        """Give the same key as another log's: each epoch is one, with a name of its own."""
        return LogKey(name, _key_id(name, self.public), self.public)

    def signed(self, text: bytes, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except InvalidSignature:
            return False
        return True

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64encode(bytes([_ED25519]) + self.public).decode()}"


def _key_id(name: str, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + bytes([_ED25519]) + public).digest()[:4]


@dataclass(frozen=True, slots=True)
class Note:
    """A text, which ends in a newline, and its signatures: name, the first bytes of the key's hash, what was signed with it."""

    text: str
    signatures: Sequence[tuple[str, bytes, bytes]]

    def demand_signature(self, keys: Iterable[LogKey]) -> LogKey:
        """Give the key that signed. A wrong signature in a known key's name spoils the note. Raises Forged."""
        known = {(key.name, key.key_id): key for key in keys}
        by: LogKey | None = None
        for name, key_id, signature in self.signatures:
            key = known.get((name, key_id))
            if key is None:
                continue
            if not key.signed(self.text.encode(), signature):
                raise Forged(f"the signature of {name} does not hold")
            by = by or key
        if by is None:
            raise Forged("it is not signed with a key that is known")
        return by


def read_note(raw: bytes) -> Note:
    """Raises NotANote."""
    try:
        whole = raw.decode()
    except UnicodeDecodeError:
        raise NotANote("it is not UTF-8") from None
    if len(raw) > _LONGEST or any(ord(letter) < 32 and letter != "\n" for letter in whole):
        raise NotANote("it is too long, or holds control characters")
    text, blank, below = whole.rpartition("\n\n")
    if not blank or not text or not below.endswith("\n"):
        raise NotANote("a text, an empty line and signatures are what a note is made of")
    lines = below[:-1].split("\n")
    if len(lines) > _MOST_SIGNATURES:
        raise NotANote(f"it bears more than {_MOST_SIGNATURES} signatures")
    return Note(text + "\n", [_signature(line) for line in lines])


def _signature(line: str) -> tuple[str, bytes, bytes]:
    found = _LINE.fullmatch(line)
    try:
        material = b64decode(found[2], validate=True) if found else b""
    except NotBase64:
        material = b""
    if found is None or len(material) < 5:
        raise NotANote("a line below the text is no signature")
    return found[1], material[:4], material[4:]
