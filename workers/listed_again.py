"""When the timekeeper reads the list of the erased: at its first look, for each other database, after one was away, and once a day.

Whoever an old backup brought back is erased again, and whom the list lacks is entered: it may have been lost, or damaged.
"""

import asyncio
from collections.abc import Callable

import structlog

from adapters.second_place import PlaceAway
from commands.context import Context
from commands.erase_again import read_erased_list
from commands.list_erased import list_erased
from commands.ports import ErasedNames, ErasedReads, Ports

AGAIN_SECONDS = 86_400.0

log = structlog.stdlib.get_logger()


class ListedAgain:
    """For one timekeeper. `destroyed` is called once keys are."""

    def __init__(self, destroyed: Callable[[], None]) -> None:
        self._destroyed = destroyed
        self._read: tuple[str, float] | None = None
        """For which database, and when. What is back after having been away may be an old backup."""

    def is_due(self, database: str) -> bool:
        return self._read is None or self._read[0] != database or _now() - self._read[1] >= AGAIN_SECONDS

    def forget(self) -> None:
        self._read = None

    async def read(self, listed: ErasedNames, reads: ErasedReads, ctx: Context, ports: Ports) -> None:
        """Raises StoreUnavailable. Of a place that is away it only tells: the rest of the work does not wait for it."""
        database = await reads.database()
        known = await reads.is_read(database)
        try:
            if known:  # this one knows of everybody: what the list lacks is no reason to doubt it
                await _enter_missing(listed, reads, ports)
            found = await read_erased_list(listed, reads, ctx, ports)
            if found.back:
                self._destroyed()
                log.warning("erased_again", count=found.back)
            if found.refused:
                log.error("erased_list_refused", count=len(found.refused), reason=found.in_words)
            if not known:
                if found.refused:
                    return  # whoever that is of may be back: it is looked at again at once
                await _enter_missing(listed, reads, ports)
        except PlaceAway as away:
            log.warning("erased_list_unread", reason=str(away))
            return
        self._read = database, _now()


async def _enter_missing(listed: ErasedNames, reads: ErasedReads, ports: Ports) -> None:
    if entered := await list_erased(listed, reads, ports):
        log.warning("erased_list_filled", count=entered)


def _now() -> float:
    return asyncio.get_running_loop().time()
