"""Before anything is answered: whoever was erased and is back, from an old backup of the database, is erased again."""

import structlog

from adapters.erased_list import ErasedList
from adapters.erased_reads import ErasedReads
from adapters.ports import NoDatabase
from adapters.postgres_links import Links
from adapters.second_place import PlaceAway, open_second_place
from adapters.settings import Settings
from commands.context import Context
from commands.erase_again import read_erased_list
from commands.ports import Ports
from domain.ids import CorrelationId


async def erase_again(settings: Settings, ports: Ports) -> None:
    """Where the list cannot be read, go on and say so, if it was read for this database before; the timekeeper reads it later then.

    Raises PlaceAway where it was not: nobody knows who is back in a database that was restored, and nothing is served from it.
    """
    if settings.database_url is None:
        raise NoDatabase("set MINOS_DATABASE_URL")
    log = structlog.stdlib.get_logger()
    place, links = open_second_place(settings), Links(settings.database_url.reveal(), size=1)
    ctx, reads = Context(correlation_id=CorrelationId(ports.random.uuid7()), system="api"), ErasedReads(links)
    try:
        if back := await read_erased_list(ErasedList(place), reads, ctx, ports):
            log.warning("erased_again", count=back)
    except PlaceAway as away:
        if not await reads.is_read(await reads.database()):
            raise
        log.warning("second_place_away", reason=str(away))
    finally:
        await place.close()
        await links.close()
