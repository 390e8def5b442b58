"""A vault that lives as long as its process: for commands' tests, under the same suite as the one in Postgres."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.memory_store import MemoryEventStore
from adapters.random import SystemRandomness
from adapters.sealing import KEY_BYTES, seal, unseal
from domain.errors import Contended
from domain.event import Erased, SealClass, Sealed
from domain.ids import StreamName, SubjectKeyId


@dataclass(frozen=True, slots=True)
class _Key:
    key_id: SubjectKeyId
    seal_class: SealClass
    cipher: AESGCM


class MemoryVault:
    """commands.ports.Vault."""

    def __init__(self, store: MemoryEventStore | None = None) -> None:
        self._store = store
        self._random = SystemRandomness()
        self._keys: dict[SubjectKeyId, _Key] = {}
        self._newest: dict[tuple[StreamName, SealClass], _Key] = {}
        self._erased: set[StreamName] = set()
        self._subjects: dict[SubjectKeyId, StreamName] = {}

    async def seal(
        self, *, subject: StreamName, seal_class: SealClass, stream: StreamName, fields: Mapping[str, str], fresh: bool = False
    ) -> Mapping[str, Sealed]:
        if not fields:
            return {}
        if subject in self._erased:
            raise Contended
        key = None if fresh else self._newest.get((subject, seal_class))
        if key is None:
            key = _Key(SubjectKeyId(self._random.uuid7()), seal_class, AESGCM(os.urandom(KEY_BYTES)))
            self._keys[key.key_id] = self._newest[subject, seal_class] = key
            self._subjects[key.key_id] = subject
        return seal(key.key_id, key.cipher, fields, stream=stream)

    async def open(self, sealed: Sealed, *, stream: StreamName, field: str) -> str | Erased:
        key = self._keys.get(sealed.key_id)
        return Erased() if key is None else unseal(key.cipher, sealed, stream=stream, field=field)

    async def reveal(self, sealed: Sealed, *, stream: StreamName, field: str) -> str | Erased | Sealed:
        key = self._keys.get(sealed.key_id)
        is_credential = key is not None and key.seal_class is SealClass.CREDENTIAL
        return sealed if is_credential else await self.open(sealed, stream=stream, field=field)

    async def destroy_left_passwords(self, subject: StreamName) -> None:
        if self._store is None:
            return
        head = (await self._store.load([subject])).heads[0]
        of_passwords = {e.key_id for e in await self._store.read_stream(subject) if e.type.startswith("user.password_")}
        self.destroy(key for key in of_passwords if key is not None and str(key).encode() not in (head.state or b""))

    async def keys_of(self, subjects: Sequence[StreamName]) -> Sequence[SubjectKeyId]:
        return [key_id for key_id, subject in self._subjects.items() if subject in subjects and key_id in self._keys]

    async def not_erased(self, subjects: Sequence[StreamName]) -> Sequence[StreamName]:
        return [subject for subject in subjects if subject not in self._erased]

    async def destroy_keys_of_erased(self, subject: StreamName) -> None:
        ends = ("user.erased.v1", "invitation.erased.v1")
        if self._store is not None and any(e.type in ends for e in await self._store.read_stream(subject)):
            self._erased.add(subject)
            self.destroy(await self.keys_of([subject]))

    def destroy(self, keys: Iterable[SubjectKeyId]) -> None:
        """Lose keys for good, as an erasure does."""
        gone = frozenset(keys)
        self._keys = {key_id: key for key_id, key in self._keys.items() if key_id not in gone}
        self._newest = {of: key for of, key in self._newest.items() if key.key_id not in gone}
