"""Keys of people, made and wrapped as the vault does, and kept to be copied in with the rest."""

import os
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.sealing import KEY_BYTES, seal
from adapters.vault import name_of
from adapters.wrapping import KeyWrapping
from bench.growth.acting import Past
from domain.event import SealClass, Sealed
from domain.ids import StreamName, SubjectKeyId


class SubjectKey(NamedTuple):
    """A row of `vault.subject_keys`, its columns in order."""

    key_id: UUID
    subject: StreamName
    seal_class: str
    generation: int
    wrapped: bytes
    kek_id: str
    created_at: datetime

    def __repr__(self) -> str:
        return f"SubjectKey(key_id={self.key_id})"


class Keys:
    """The keys of one subject: one of each class, as somebody has who never changed a password."""

    def __init__(self, subject: StreamName, wrapping: KeyWrapping, past: Past) -> None:
        self.rows: list[SubjectKey] = []
        self._subject, self._wrapping, self._past = subject, wrapping, past
        self._made: dict[SealClass, tuple[SubjectKeyId, AESGCM]] = {}

    def seal(self, seal_class: SealClass, stream: StreamName, fields: Mapping[str, str]) -> Mapping[str, Sealed]:
        """Seal the fields of one event."""
        key_id, cipher = self._made.get(seal_class) or self._make(seal_class)
        return seal(key_id, cipher, fields, stream=stream)

    def _make(self, seal_class: SealClass) -> tuple[SubjectKeyId, AESGCM]:
        key_id, raw = SubjectKeyId(self._past.random.uuid7()), os.urandom(KEY_BYTES)
        wrapped = self._wrapping.wrap(name_of(key_id), raw)
        self.rows.append(SubjectKey(key_id, self._subject, seal_class, 1, wrapped.box, wrapped.kek_id, self._past.at))
        made = self._made[seal_class] = key_id, AESGCM(raw)
        return made
