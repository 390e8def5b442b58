"""The newest checkpoint of each epoch in the second place: the one fact about the log that does not go back when the database does."""

import re

from msgspec import Struct

from adapters.second_place import SecondPlace

_FOLDER = "checkpoint/"
_EPOCH = re.compile(rf"{_FOLDER}([1-9][0-9]{{0,9}})")
_CLOSED = "closed\n"


class Published(Struct, frozen=True, kw_only=True):
    """What was published last of an epoch, under the version the place knows it by. `closed`: a later epoch began, nothing follows."""

    epoch: int
    note: str
    closed: bool
    version: str


async def newest(place: SecondPlace) -> Published | None:
    """Give what the latest epoch that ever was has there, whatever else lies beside. Raises PlaceAway."""
    epochs = await epochs_of(place)
    return await of_epoch(place, epochs[-1]) if epochs else None


async def epochs_of(place: SecondPlace) -> list[int]:
    """Give every epoch that has something there, the first one first. Raises PlaceAway."""
    return sorted(int(found[1]) for name in await place.names(_FOLDER) if (found := _EPOCH.fullmatch(name)))


async def of_epoch(place: SecondPlace, epoch: int) -> Published | None:
    kept = await place.get(_name(epoch))
    if kept is None:
        return None
    text = kept.data.decode(errors="replace")  # what is no text is no checkpoint, and is found to be none
    note = text.removeprefix(_CLOSED)
    return Published(epoch=epoch, note=note, closed=note != text, version=kept.version)


async def publish(place: SecondPlace, epoch: int, note: str, *, expect: str | None) -> str:
    """Put a checkpoint there in place of the one known. Raises PlaceChanged, PlaceAway."""
    return await place.put(_name(epoch), note.encode(), expect=expect)


async def close_epoch(place: SecondPlace, last: Published) -> None:
    """Let nobody publish anything more of an epoch: also not a server that still has the old database. Raises PlaceChanged, PlaceAway."""
    if not last.closed:
        await place.put(_name(last.epoch), f"{_CLOSED}{last.note}".encode(), expect=last.version)


def _name(epoch: int) -> str:
    return f"{_FOLDER}{epoch}"
