"""Ed25519 keys of signed notes: one that checks, one that signs, and the file that a key is kept in."""

import base64
import binascii
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from domain.tree.cosignature import cosignature, cosigned_message
from domain.tree.note import COSIGNATURE, Signature, VerifierKey

_MARK = "PRIVATE+KEY"
_SEED_BYTES = 32


class NoKeyFile(Exception):
    """A file holds no key that can be used. The message says which file, and nothing of what is in it."""


def verifies(key: VerifierKey, message: bytes, signature: bytes) -> bool:
    """Tell whether the signature is the key's over the message."""
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


class WitnessKey:
    """Cosigns checkpoints, and nothing else."""

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = VerifierKey(name=name, kind=COSIGNATURE, public=private.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        return f"WitnessKey({self.public.name!r})"

    @classmethod
    def new(cls, name: str) -> "WitnessKey":
        return cls(name, Ed25519PrivateKey.generate())

    def cosign(self, text: str, *, at: int) -> Signature:
        """`text` is that of the checkpoint, `at` seconds since 1970."""
        return cosignature(self.public.key_name, at, self._private.sign(cosigned_message(text, at)))

    def keep(self, path: Path) -> None:
        """Write it where nothing is yet, for the owner of this process alone. Raises FileExistsError."""
        blob = base64.b64encode(bytes([COSIGNATURE]) + self._private.private_bytes_raw()).decode()
        line = f"{_MARK}+{self.public.name}+{self.public.key_name.key_id.hex()}+{blob}\n"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    @classmethod
    def kept(cls, path: Path) -> "WitnessKey":
        """Read it, as Go's `note` writes keys: a mark, name, id, kind and seed. Raises NoKeyFile, also where others could read it."""
        try:
            if path.stat().st_mode & 0o077:
                raise NoKeyFile(f"{path} can be read by others: chmod 600 it, and make a new key if they may have")
            text = path.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise NoKeyFile(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}") from None
        name, key_id, blob = _parts(text)
        if len(blob) != 1 + _SEED_BYTES or blob[0] != COSIGNATURE:
            raise NoKeyFile(f"{path} holds no key of a witness")
        key = cls(name, Ed25519PrivateKey.from_private_bytes(blob[1:]))
        if key.public.key_name.key_id.hex() != key_id:
            raise NoKeyFile(f"{path} is damaged: the id in it is not that of its key")
        return key


def _parts(text: str) -> tuple[str, str, bytes]:
    match text.strip().split("+", 4):
        case ["PRIVATE", "KEY", name, key_id, encoded]:
            try:
                return name, key_id, base64.b64decode(encoded, validate=True)
            except (binascii.Error, ValueError):
                pass
        case _:
            pass
    return "", "", b""
