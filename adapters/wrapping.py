"""Keys at rest: AES-256-GCM under a key that is not in the database (NIST SP 800-38F 3.1 allows authenticated modes)."""

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.framing import framed
from adapters.master_key import MasterKey

NONCE_BYTES = 12
_LABEL = "minos wrapped key v1"


class CannotUnwrap(Exception):
    """A stored key does not open: what wrapped it is not configured, or the row was altered. Never skipped over."""


class UnknownKek(CannotUnwrap):
    """What wrapped it is not known here, and may be elsewhere."""


class KekDestroyed(CannotUnwrap):
    """What wrapped it is gone for good, and so is it: what was sealed under it is erased."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A key as it may lie in the database. `kek_id` names the key it needs."""

    box: bytes
    kek_id: str

    def __repr__(self) -> str:
        return f"Wrapped(kek_id={self.kek_id!r})"


class KeyWrapping(Protocol):
    """What a vault of keys needs."""

    def wrap(self, name: str, key: bytes) -> Wrapped: ...
    def unwrap(self, name: str, wrapped: Wrapped) -> bytes:
        """Raises CannotUnwrap, or what it is more precisely."""
        ...

    async def look_again(self) -> None:
        """Learn which keys others made meanwhile."""
        ...


class Wrapping:
    """Wraps under the first key given, unwraps under any of them: so the master key can be changed in service.

    A wrapped key is bound to its own name and to the name of what wrapped it, so that rows cannot be swapped for one another.
    """

    def __init__(self, keys: Iterable[MasterKey]) -> None:
        self.keys: Sequence[MasterKey] = tuple(keys)
        if not self.keys:
            raise ValueError("wrapping needs at least one key")
        self.first = self.current = self.keys[0].kek_id
        self._ciphers = {master.kek_id: AESGCM(master.key) for master in reversed(self.keys)}

    def __repr__(self) -> str:
        return f"Wrapping(current={self.current!r})"

    @property
    def kek_ids(self) -> list[str]:
        return list(dict.fromkeys(master.kek_id for master in self.keys))

    def keep_to(self, known: Collection[str] | None) -> None:
        """Wrap under the first key that is among `known`, which every process that runs has; under the first of all for None or none."""
        self.current = next((kek_id for kek_id in self.kek_ids if known is None or kek_id in known), self.first)

    def wrap(self, name: str, key: bytes, *, under: str | None = None) -> Wrapped:
        """Wrap under the current key, or another one of ours."""
        kek_id = under or self.current
        nonce = os.urandom(NONCE_BYTES)
        return Wrapped(nonce + self._ciphers[kek_id].encrypt(nonce, key, _bound_to(kek_id, name)), kek_id)

    def unwrap(self, name: str, wrapped: Wrapped) -> bytes:
        """Give the key back. Raises CannotUnwrap; UnknownKek where none of ours wrapped it."""
        cipher = self._ciphers.get(wrapped.kek_id)
        if cipher is None:
            found = ", ".join(f"{master.origin} holds {master.kek_id}" for master in self.keys)
            raise UnknownKek(f"{name} is wrapped by master key {wrapped.kek_id}, which is not configured: {found}")
        try:
            return cipher.decrypt(wrapped.box[:NONCE_BYTES], wrapped.box[NONCE_BYTES:], _bound_to(wrapped.kek_id, name))
        except (InvalidTag, ValueError):
            raise CannotUnwrap(f"{name} does not open under key {wrapped.kek_id}") from None

    async def look_again(self) -> None:
        """What is configured is all there is."""


def _bound_to(kek_id: str, name: str) -> bytes:
    return framed((_LABEL, kek_id, name))
