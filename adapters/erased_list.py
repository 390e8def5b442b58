"""Who was erased, outside the database: ids and times, so that a backup from before brings nobody back."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from adapters.second_place import PlaceChanged, SecondPlace
from domain.ids import UserId
from domain.user_events import AskedBy

FOLDER = "erased/"


class Entry(Struct, frozen=True, kw_only=True):
    """`names_until`: until when the names are nobody's; None where they were free at once."""

    user_id: UserId
    asked_by: AskedBy
    begun_at: datetime
    names_until: datetime | None


class ErasedList:
    """One name for each, never taken off. Every call raises PlaceAway."""

    def __init__(self, place: SecondPlace) -> None:
        self._place = place

    async def enter(self, user_id: UserId, *, asked_by: AskedBy, begun_at: datetime, names_until: datetime | None) -> None:
        """Put somebody on it, durably; nothing happens the second time."""
        entry = Entry(user_id=user_id, asked_by=asked_by, begun_at=begun_at, names_until=names_until)
        try:
            await self._place.put(f"{FOLDER}{user_id}", msgspec.json.encode(entry, order="sorted"), expect=None)
        except PlaceChanged:
            return

    async def ids(self) -> Sequence[UserId]:
        return [UserId(UUID(name.removeprefix(FOLDER))) for name in await self._place.names(FOLDER)]

    async def get(self, user_id: UserId) -> Entry | None:
        """Raises msgspec.MsgspecError for what was not written here."""
        kept = await self._place.get(f"{FOLDER}{user_id}")
        return None if kept is None else msgspec.json.decode(kept.data, type=Entry)
