"""Before anything is answered: whoever was erased and is back, from an old backup of the database, is erased again."""

import structlog

from adapters.erased_list import open_erased_list
from adapters.erased_reads import ErasedReads
from adapters.ports import NoDatabase, Opened
from adapters.postgres_links import Links
from adapters.second_place import PlaceAway, open_second_place
from adapters.settings import Settings
from commands.context import Context
from commands.erase_again import Reread, read_erased_list
from domain.ids import CorrelationId

log = structlog.stdlib.get_logger()


class ListRefused(Exception):
    """Entries of the list of the erased are none of ours. The message names them."""


async def erase_again(settings: Settings, opened: Opened) -> None:
    """Where the list cannot be read, go on and say so, if it was read for this database before; the timekeeper reads it later then.

    Raises PlaceAway or ListRefused where it was not: nobody knows who is back in a database that was restored, and nothing is served
    from it.
    """
    if settings.database_url is None:
        raise NoDatabase("set MINOS_DATABASE_URL")
    place, links = open_second_place(settings), Links(settings.database_url.reveal(), size=1)
    reads = ErasedReads(links)
    ctx = Context(correlation_id=CorrelationId(opened.ports.random.uuid7()), system="api")
    try:
        listed = await open_erased_list(place, links, opened.wrapping, settings.issuer)
        _tell(await read_erased_list(listed, reads, ctx, opened.ports))
    except (PlaceAway, ListRefused) as error:
        if not await reads.is_read(await reads.database()):
            raise
        log.warning("erased_list_unread", reason=str(error))
    finally:
        await place.close()
        await links.close()


def _tell(found: Reread) -> None:
    if found.back:
        log.warning("erased_again", count=found.back)
    if found.refused:
        raise ListRefused(found.in_words)
