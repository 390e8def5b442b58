"""The key that signs checkpoints of the log and nothing else: Ed25519, made at the first start, wrapped in the vault."""

import os
from pathlib import Path

from asyncpg import Record
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Struct

from adapters.framing import framed
from adapters.postgres_links import Links
from adapters.postgres_sql import statements
from adapters.wrapping import Wrapped, Wrapping
from domain.tree.checkpoint import BadCheckpoint, Checkpoint, log_origin, read_checkpoint
from domain.tree.note import ED25519, BadNote, Signature, VerifierKey, read_note, write_note

SQL = statements(Path(__file__).with_suffix(".sql"))
SEED_BYTES = 32


class LogName(Struct, frozen=True, kw_only=True):
    """What the log is called, and the public half of its key. Both stay, whatever the issuer's URL becomes: verifiers go by them."""

    name: str
    public: bytes

    def origin(self, epoch: int) -> str:
        return self.name if epoch == 1 else f"{self.name}/{epoch}"

    def verifier(self, epoch: int) -> VerifierKey:
        """Each epoch is a log of its own, and so has a key by its name; the bytes are the same."""
        return VerifierKey(name=self.origin(epoch), kind=ED25519, public=self.public)


class CheckpointSigner:
    """Signs what it is given: whether that may be signed is for the integrator to say."""

    def __init__(self, name: LogName, key: Ed25519PrivateKey) -> None:
        self.name = name
        self._key = key

    def __repr__(self) -> str:
        return f"CheckpointSigner({self.name.name!r})"

    def sign(self, checkpoint: Checkpoint, epoch: int) -> str:
        """Give the note of a checkpoint of an epoch."""
        text = checkpoint.text()
        return write_note(text, [Signature(by=self.name.verifier(epoch).key_name, value=self._key.sign(text.encode()))])

    def key_for(self, purpose: str) -> bytes:
        """Give a key for a MAC that follows from this one: as old as the log, in every backup of it, and good for nothing else."""
        label = framed([purpose, self.name.name])
        return HKDF(SHA256(), SEED_BYTES, salt=None, info=label).derive(self._key.private_bytes_raw())


def verified(note: str, key: VerifierKey) -> Checkpoint:
    """Give the checkpoint of a note that this key signed. Raises BadCheckpoint for any other."""
    try:
        read = read_note(note)
        signature = read.by(key)
        if signature is None:
            raise BadCheckpoint(f"the checkpoint is not signed by {key.line()}")
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature.value, read.text.encode())
        found = read_checkpoint(read.text)
    except (BadNote, InvalidSignature) as error:
        raise BadCheckpoint(str(error) or "the signature of the checkpoint is wrong") from None
    if found.origin != key.name:
        raise BadCheckpoint(f"the checkpoint is of {found.origin}, not of {key.name}")
    return found


async def read_log_name(links: Links) -> LogName | None:
    """None before the first start of an integrator. Raises StoreUnavailable."""
    rows = await links.read(SQL["read"])
    return LogName(name=rows[0][0], public=rows[0][1]) if rows else None


async def open_signer(links: Links, wrapping: Wrapping, issuer: str) -> CheckpointSigner:
    """Read the key, making it where there is none. Raises StoreUnavailable, CannotUnwrap."""
    rows = await links.read(SQL["read"])
    if not rows:
        name = log_origin(issuer, 1)
        made = Ed25519PrivateKey.from_private_bytes(os.urandom(SEED_BYTES))
        wrapped = wrapping.wrap(_label(name), made.private_bytes_raw())
        await links.read(SQL["add"], name, made.public_key().public_bytes_raw(), wrapped.box, wrapped.kek_id)
        rows = await links.read(SQL["read"])  # another may have been first
    return _opened(rows[0], wrapping)


async def read_signer(links: Links, wrapping: Wrapping) -> CheckpointSigner | None:
    """None where the key is not made yet. Raises StoreUnavailable, CannotUnwrap."""
    rows = await links.read(SQL["read"])
    return _opened(rows[0], wrapping) if rows else None


def _opened(row: Record, wrapping: Wrapping) -> CheckpointSigner:
    name, public, box, kek_id = row
    key = Ed25519PrivateKey.from_private_bytes(wrapping.unwrap(_label(name), Wrapped(box, kek_id)))
    return CheckpointSigner(LogName(name=name, public=public), key)


def _label(name: str) -> str:
    return f"log/{name}"
