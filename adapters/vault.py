"""Subject keys in Postgres, wrapped by the month's key, and the fields sealed under them (threats.md 12, audit.md)."""

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.batching import Batcher
from adapters.postgres_links import Links
from adapters.postgres_sql import statements
from adapters.random import SystemRandomness
from adapters.recent import Recent
from adapters.sealing import KEY_BYTES, seal, unseal
from adapters.wrapping import KekDestroyed, KeyWrapping, UnknownKek, Wrapped
from domain.errors import Contended
from domain.event import Erased, SealClass, Sealed
from domain.ids import StreamName, SubjectKeyId

SQL = statements(Path(__file__).with_suffix(".sql"))
CACHED_KEYS = 4_096
CACHED_S = 60.0
"""A key destroyed by another process is forgotten by this one no later than this."""
_ATTEMPTS = 16


@dataclass(frozen=True, slots=True)
class _Key:
    key_id: SubjectKeyId
    seal_class: SealClass
    cipher: AESGCM


class PostgresVault:
    """commands.ports.Vault. Keeps recently used keys unwrapped for a while, except those of credentials.

    A credential's key is read every time: what opens a password is destroyed at once everywhere, and a name that
    signs in often costs what an unknown one does.
    """

    def __init__(self, links: Links, wrapping: KeyWrapping, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._links = links
        self._wrapping = wrapping
        self._random = SystemRandomness()
        self._by_id: Recent[SubjectKeyId, _Key] = Recent(limit=CACHED_KEYS, ttl=CACHED_S, clock=clock)
        self._newest: Recent[tuple[StreamName, SealClass], _Key] = Recent(limit=CACHED_KEYS, ttl=CACHED_S, clock=clock)
        self._finds: Batcher[SubjectKeyId, _Key | None] = Batcher(self._find_keys, limit=256)

    async def seal(
        self, *, subject: StreamName, seal_class: SealClass, stream: StreamName, fields: Mapping[str, str], fresh: bool = False
    ) -> Mapping[str, Sealed]:
        """Seal all fields under one key of the subject. Raises StoreUnavailable, CannotUnwrap."""
        if not fields:
            return {}
        key = await (self._make_next(subject, seal_class) if fresh else self._newest_or_first(subject, seal_class))
        return seal(key.key_id, key.cipher, fields, stream=stream)

    async def open(self, sealed: Sealed, *, stream: StreamName, field: str) -> str | Erased:
        """Give the text, or Erased where the key is gone. Raises SealBroken, StoreUnavailable, CannotUnwrap."""
        key = self._by_id.get(sealed.key_id) or await self._finds.submit(sealed.key_id)
        return Erased() if key is None else unseal(key.cipher, sealed, stream=stream, field=field)

    async def reveal(self, sealed: Sealed, *, stream: StreamName, field: str) -> str | Erased | Sealed:
        """As `open`, for somebody to read: a credential comes back as it is."""
        key = self._by_id.get(sealed.key_id) or await self._finds.submit(sealed.key_id)
        if key is None:
            return Erased()
        return sealed if key.seal_class is SealClass.CREDENTIAL else unseal(key.cipher, sealed, stream=stream, field=field)

    async def open_many(self, wanted: Sequence[tuple[Sealed, StreamName, str]]) -> Sequence[str | Erased]:
        """Open (sealed, stream, field) in order; keys not at hand are read in as few statements as they fit."""
        return await asyncio.gather(*(self.open(sealed, stream=stream, field=field) for sealed, stream, field in wanted))

    async def destroy_left_passwords(self, subject: StreamName) -> None:
        """Which these are, the database sees for itself: no process of ours may name a key to be destroyed (migration 22)."""
        await self._links.run(SQL["destroy_left_passwords"], subject)

    async def keys_of(self, subjects: Sequence[StreamName]) -> Sequence[SubjectKeyId]:
        return [SubjectKeyId(UUID(bytes=row[0].bytes)) for row in await self._links.read(SQL["keys_of"], subjects)]

    async def not_erased(self, subjects: Sequence[StreamName]) -> Sequence[StreamName]:
        return [StreamName(row["subject"]) for row in await self._links.read(SQL["not_erased"], subjects)]

    async def destroy_keys_of_erased(self, subject: StreamName) -> None:
        """The database sees for itself that it was erased, and lets nobody make it another key (migration 41). Of those that the log has
        told of for less than a day it destroys 100 an hour (migration 55)."""
        going = await self.keys_of([subject])
        await self._links.run(SQL["destroy_keys_of_erased"], subject)
        self.forget(going)

    def forget(self, keys: Iterable[SubjectKeyId]) -> None:
        """Drop keys from memory at once; call it where they are destroyed."""
        gone = frozenset(keys)
        self._by_id.drop_where(lambda key: key.key_id in gone)
        self._newest.drop_where(lambda key: key.key_id in gone)

    def forget_all(self) -> None:
        """Drop every key from memory: they are read anew when they are needed, those that are still there."""
        self._by_id.drop_where(lambda _: True)
        self._newest.drop_where(lambda _: True)

    async def close(self) -> None:
        await self._finds.close()

    async def _newest_or_first(self, subject: StreamName, seal_class: SealClass) -> _Key:
        if (known := self._newest.get((subject, seal_class))) is not None:
            return known
        for _ in range(_ATTEMPTS):
            rows = await self._links.read(SQL["find_newest"], subject, seal_class)
            key = (await self._unwrapped(rows))[0] if rows else await self._add("add_first", subject, seal_class)
            if rows and key is None:  # its month is destroyed: nothing is to be sealed under what does not open
                key = await self._add("add_next", subject, seal_class)
            if key is not None:
                self._remember(subject, seal_class, key)
                return key
        raise Contended

    async def _make_next(self, subject: StreamName, seal_class: SealClass) -> _Key:
        for _ in range(_ATTEMPTS):
            if (key := await self._add("add_next", subject, seal_class)) is not None:
                self._remember(subject, seal_class, key)
                return key
        raise Contended

    def _remember(self, subject: StreamName, seal_class: SealClass, key: _Key) -> None:
        if seal_class is not SealClass.CREDENTIAL:
            self._newest.put((subject, seal_class), key)
            self._by_id.put(key.key_id, key)

    async def _add(self, statement: str, subject: StreamName, seal_class: SealClass) -> _Key | None:
        """Give the new key, or None where another process took the generation, or what wraps it was closed meanwhile."""
        key_id = SubjectKeyId(self._random.uuid7())
        raw = os.urandom(KEY_BYTES)
        wrapped = self._wrapping.wrap(name_of(key_id), raw)
        if not await self._links.run(SQL[statement], key_id, subject, seal_class, wrapped.box, wrapped.kek_id):
            await self._wrapping.look_again()
            return None
        return _Key(key_id, seal_class, AESGCM(raw))

    async def _find_keys(self, _: int, wanted: Sequence[SubjectKeyId]) -> Sequence[_Key | None]:
        return await self._unwrapped(await self._links.read(SQL["find_keys"], wanted))

    async def _unwrapped(self, rows: Sequence[asyncpg.Record]) -> Sequence[_Key | None]:
        """None where there is no key any more, or what wrapped it is destroyed. Raises CannotUnwrap."""
        try:
            return [self._opened(row) for row in rows]
        except UnknownKek:
            await self._wrapping.look_again()
            return [self._opened(row) for row in rows]

    def _opened(self, row: asyncpg.Record) -> _Key | None:
        if row[0] is None:
            return None
        key_id = SubjectKeyId(UUID(bytes=row[0].bytes))
        try:
            raw = self._wrapping.unwrap(name_of(key_id), Wrapped(row[2], row[3]))
        except KekDestroyed:
            return None
        key = _Key(key_id, SealClass(row[1]), AESGCM(raw))
        if key.seal_class is not SealClass.CREDENTIAL:
            self._by_id.put(key_id, key)
        return key


def name_of(key_id: SubjectKeyId) -> str:
    return f"subject/{key_id}"
