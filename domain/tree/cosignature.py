"""A witness's word that it saw a checkpoint, and that it was consistent with all before it (C2SP tlog-cosignature, Ed25519)."""

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

from domain.tree.note import KeyName, Note, Signature, VerifierKey

_TIME_BYTES = 8
_SIGNATURE_BYTES = 64
_LATEST = 2**63 - 1

Verifies: TypeAlias = Callable[[VerifierKey, bytes, bytes], bool]
"""Tells whether a key's Ed25519 signature (the last) is over a message."""


class Forged(Exception):
    """A line of a note names a key that is known, and its signature is not that key's: nothing of such a note is believed."""


class Cosigned(Struct, frozen=True, kw_only=True):
    """`at`: seconds since 1970, by the witness's clock."""

    at: int
    value: bytes


def cosigned_message(text: str, at: int) -> bytes:
    """Give what a witness signs of the text of a checkpoint."""
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def cosignature(by: KeyName, at: int, value: bytes) -> Signature:
    """Put a time and what was signed with it into a line's form."""
    return Signature(by=by, value=at.to_bytes(_TIME_BYTES, "big") + value)


def read_cosignature(signature: Signature) -> Cosigned | None:
    """None for what has not the form of one."""
    at = int.from_bytes(signature.value[:_TIME_BYTES], "big")
    if len(signature.value) != _TIME_BYTES + _SIGNATURE_BYTES or at > _LATEST:
        return None
    return Cosigned(at=at, value=signature.value[_TIME_BYTES:])


def is_signed(note: Note, key: VerifierKey, verifies: Verifies) -> bool:
    """Tell whether the key signed the text. Raises Forged where only its name is there."""
    mine = [each for each in note.signatures if each.by == key.key_name]
    if not all(verifies(key, note.text.encode(), each.value) for each in mine):
        raise Forged(f"the signature of {key.name} does not hold")
    return bool(mine)


def cosigned_at(note: Note, key: VerifierKey, verifies: Verifies) -> int | None:
    """Give when the witness cosigned it, last if more than once; None if it did not. Raises Forged where only its name is there."""
    times: list[int] = []
    for each in note.signatures:
        if each.by == key.key_name:
            said = read_cosignature(each)
            if said is None or not verifies(key, cosigned_message(note.text, said.at), said.value):
                raise Forged(f"the cosignature of {key.name} does not hold")
            times.append(said.at)
    return max(times, default=None)
