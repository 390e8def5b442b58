"""Who was erased, outside the database: ids and times, so that a backup from before brings nobody back.

Each entry is authenticated under a key that follows from the log's, which every backup of it has and the second place has not: who may
write there can have nobody erased.
"""

import hmac
import re
from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID

import msgspec
import structlog
from msgspec import Struct

from adapters.base64url import from_text, to_text
from adapters.checkpoint_key import CheckpointSigner, open_signer
from adapters.framing import framed
from adapters.postgres_links import Links
from adapters.second_place import PlaceAway, PlaceChanged, SecondPlace
from adapters.wrapping import Wrapping
from commands.ports import EntryRefused, ErasedEntry
from domain.ids import UserId

FOLDER = "erased/"
PURPOSE = "list of the erased v1"
_ENTRY = re.compile(r"erased/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_ATTEMPTS = 5


class _Written(Struct, frozen=True, kw_only=True):
    """An entry as it lies there: the bytes of `entry` are what `mac` is over, together with `log`."""

    log: str
    entry: msgspec.Raw
    mac: str


class ErasedList:
    """commands.ports.erased.ErasedNames, of one log. One name for each, never taken off. Every call raises PlaceAway."""

    def __init__(self, place: SecondPlace, signer: CheckpointSigner) -> None:
        self._place = place
        self._log, self._key = signer.name.name, signer.key_for(PURPOSE)

    async def enter(self, entry: ErasedEntry) -> bool:
        """Put somebody on it, durably, also in the place of what is no entry of ours. False where they are on it."""
        name, encoded = f"{FOLDER}{entry.user_id}", msgspec.json.encode(entry, order="sorted")
        data = msgspec.json.encode(_Written(log=self._log, entry=msgspec.Raw(encoded), mac=to_text(self._mac(encoded))))
        for _ in range(_ATTEMPTS):
            kept = await self._place.get(name)
            if kept is not None and self._is_ours(entry.user_id, kept.data):
                return False
            try:
                await self._place.put(name, data, expect=None if kept is None else kept.version)
            except PlaceChanged:
                continue
            return True
        raise PlaceAway(f"{name} was changed by others each time it was written")

    async def ids(self) -> Sequence[UserId]:
        """What is no id is nobody's, and told of."""
        names = await self._place.names(FOLDER)
        if others := strangers(names):
            structlog.stdlib.get_logger().warning("erased_list_has_other_files", count=len(others), reason=", ".join(others[:3]))
        return [UserId(UUID(found[1])) for name in names if (found := _ENTRY.fullmatch(name))]

    async def get(self, user_id: UserId) -> ErasedEntry | None:
        """Raises EntryRefused for what was not written here."""
        kept = await self._place.get(f"{FOLDER}{user_id}")
        return None if kept is None else self._read(user_id, kept.data)

    def _is_ours(self, user_id: UserId, data: bytes) -> bool:
        try:
            self._read(user_id, data)
        except EntryRefused:
            return False
        return True

    def _read(self, user_id: UserId, data: bytes) -> ErasedEntry:
        name = f"{FOLDER}{user_id}"
        try:
            written = msgspec.json.decode(data, type=_Written)
        except (msgspec.MsgspecError, ValueError):
            raise EntryRefused(name, "cannot be read") from None
        if written.log != self._log:
            raise EntryRefused(name, f"is of another log than {self._log}")
        if not hmac.compare_digest(from_text(written.mac) or b"", self._mac(bytes(written.entry))):
            raise EntryRefused(name, "was not written by this log")
        entry = msgspec.json.decode(written.entry, type=ErasedEntry)
        if entry.user_id != user_id:
            raise EntryRefused(name, f"is about {entry.user_id}")
        return entry

    def _mac(self, encoded: bytes) -> bytes:
        return hmac.digest(self._key, framed([self._log, encoded]), sha256)


async def open_erased_list(place: SecondPlace, links: Links, wrapping: Wrapping, issuer: str) -> ErasedList:
    """Raises StoreUnavailable, CannotUnwrap."""
    return ErasedList(place, await open_signer(links, wrapping, issuer))


def strangers(names: Sequence[str]) -> Sequence[str]:
    """Give what lies there and is no entry by its name. A bucket may have the folder itself in it."""
    return [name for name in names if name != FOLDER and not _ENTRY.fullmatch(name)]
