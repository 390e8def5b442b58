"""Keys at rest: AES-256-GCM under a master key that is not in the database (NIST SP 800-38F 3.1 allows authenticated modes)."""

import os
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.framing import framed
from adapters.master_key import MasterKey

NONCE_BYTES = 12
_LABEL = "minos wrapped key v1"


class CannotUnwrap(Exception):
    """A stored key does not open: its master key is not configured, or the row was altered. Never skipped over."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A key as it may lie in the database. `kek_id` names the master key it needs."""

    box: bytes
    kek_id: str

    def __repr__(self) -> str:
        return f"Wrapped(kek_id={self.kek_id!r})"


class Wrapping:
    """Wraps under the first master key given, unwraps under any of them: so the master key can be changed in service.

    A wrapped key is bound to its own name and to the master key's, so that rows cannot be swapped for one another.
    """

    def __init__(self, keys: Iterable[MasterKey]) -> None:
        known = list(keys)
        if not known:
            raise ValueError("wrapping needs at least one master key")
        self._current = known[0].kek_id
        self._found = ", ".join(f"{master.origin} holds {master.kek_id}" for master in known)
        self._ciphers = {master.kek_id: AESGCM(master.key) for master in known}

    def __repr__(self) -> str:
        return f"Wrapping(current={self._current!r})"

    def wrap(self, name: str, key: bytes) -> Wrapped:
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, key, _bound_to(self._current, name))
        return Wrapped(nonce + sealed, self._current)

    def unwrap(self, name: str, wrapped: Wrapped) -> bytes:
        """Give the key back. Raises CannotUnwrap."""
        cipher = self._ciphers.get(wrapped.kek_id)
        if cipher is None:
            raise CannotUnwrap(f"{name} is wrapped by master key {wrapped.kek_id}, which is not configured: {self._found}")
        try:
            return cipher.decrypt(wrapped.box[:NONCE_BYTES], wrapped.box[NONCE_BYTES:], _bound_to(wrapped.kek_id, name))
        except (InvalidTag, ValueError):
            raise CannotUnwrap(f"{name} does not open under master key {wrapped.kek_id}") from None


def _bound_to(kek_id: str, name: str) -> bytes:
    return framed((_LABEL, kek_id, name))
