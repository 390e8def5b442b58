"""When the last backup was made, and when one was last restored to see whether it can be: kept in the second place, where every machine
sees it and no restore sets it back. A note for `minos doctor`: nothing is decided by it."""

from datetime import datetime

import msgspec
from msgspec import Struct

from adapters.second_place import PlaceChanged, SecondPlace

_NAME = "backup/newest"
_ATTEMPTS = 3


class Newest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    made_at: datetime | None = None
    name: str = ""
    size: int = 0
    months: bool = False
    """The months' keys were copied with it."""
    verified_at: datetime | None = None
    verified: str = ""
    """The name of the backup that was restored then."""


async def read(place: SecondPlace) -> Newest:
    """Raises PlaceAway."""
    return (await _look(place))[0]


async def note(place: SecondPlace, **changes: object) -> None:
    """Raises PlaceAway, and PlaceChanged where others write there all the time."""
    for attempt in range(_ATTEMPTS):
        known, version = await _look(place)
        try:
            await place.put(_NAME, msgspec.json.encode(msgspec.structs.replace(known, **changes)) + b"\n", expect=version)
        except PlaceChanged:
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return


async def _look(place: SecondPlace) -> tuple[Newest, str | None]:
    kept = await place.get(_NAME)
    if kept is None:
        return Newest(), None
    try:
        return msgspec.json.decode(kept.data, type=Newest), kept.version
    except msgspec.MsgspecError:
        return Newest(), kept.version
