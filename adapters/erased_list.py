"""Who was erased, outside the database: ids and times, so that a backup from before brings nobody back."""

import re
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

import msgspec

from adapters.second_place import PlaceChanged, SecondPlace
from commands.ports import ErasedEntry
from domain.ids import UserId

FOLDER = "erased/"
_ENTRY = re.compile(r"erased/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


class ErasedList:
    """commands.ports.erased.ErasedNames. One name for each, never taken off. Every call raises PlaceAway."""

    def __init__(self, place: SecondPlace) -> None:
        self._place = place

    async def enter(self, entry: ErasedEntry) -> None:
        """Put somebody on it, durably; nothing happens the second time."""
        with suppress(PlaceChanged):
            await self._place.put(f"{FOLDER}{entry.user_id}", msgspec.json.encode(entry, order="sorted"), expect=None)

    async def ids(self) -> Sequence[UserId]:
        """What is no id is nobody's: a bucket may have the name of a folder in it."""
        return [UserId(UUID(found[1])) for name in await self._place.names(FOLDER) if (found := _ENTRY.fullmatch(name))]

    async def get(self, user_id: UserId) -> ErasedEntry | None:
        """Raises msgspec.MsgspecError for what was not written here."""
        kept = await self._place.get(f"{FOLDER}{user_id}")
        return None if kept is None else msgspec.json.decode(kept.data, type=ErasedEntry)
