"""Erasing again whoever an old backup brought back: before anything is served from the database."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from adapters.erased_list import ErasedList, open_erased_list
from adapters.erased_reads import ErasedReads
from adapters.ports import NoDatabase, open_ports
from adapters.postgres_links import Links
from adapters.second_place import SecondPlace
from adapters.settings import Settings
from commands.context import Context
from commands.erase_again import Reread, read_erased_list, refused_entries
from commands.list_erased import list_erased
from commands.ports import Ports
from domain.ids import CorrelationId

log = structlog.stdlib.get_logger()


class EntriesRefused(Exception):
    """On the list of the erased are entries that are none of ours. The message names them, and says what to do."""


@dataclass(frozen=True, slots=True)
class ErasedAgain:
    """An operator goes on with this database, also where the list is empty."""

    listed: ErasedList
    reads: ErasedReads
    ports: Ports

    async def mend(self) -> None:
        """Enter whom the list lacks and this database knows of, each entry that is none of ours written anew. Before anything else is
        done: raises EntriesRefused for others, PlaceAway.
        """
        if entered := await list_erased(self.listed, self.reads, self.ports, each=True):
            log.warning("erased_list_filled", count=entered)
        _believe(await refused_entries(self.listed, self.reads))

    async def erase(self) -> int:
        """Give how many were back. Raises EntriesRefused, PlaceAway."""
        ctx = Context(correlation_id=CorrelationId(self.ports.random.uuid7()), system="cli")
        found = await read_erased_list(self.listed, self.reads, ctx, self.ports)
        if found.back:
            log.warning("erased_again", count=found.back)
        _believe(found)
        return found.back


@asynccontextmanager
async def erased_again(settings: Settings, place: SecondPlace) -> AsyncGenerator[ErasedAgain]:
    """Raises what open_ports raises."""
    if settings.database_url is None:
        raise NoDatabase("set MINOS_DATABASE_URL")
    links = Links(settings.database_url.reveal(), size=1)
    try:
        async with open_ports(settings) as opened:
            listed = await open_erased_list(place, links, opened.wrapping, settings.issuer)
            yield ErasedAgain(listed, ErasedReads(links, believing=True), opened.ports)
    finally:
        await links.close()


def _believe(found: Reread) -> None:
    if found.refused:
        raise EntriesRefused(f"{found.in_words}. Put back what was there, or move them out of the second place, and run this again")
