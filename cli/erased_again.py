"""Erasing again whoever an old backup brought back: before anything is served from the database."""

import structlog

from adapters.erased_list import ErasedList
from adapters.erased_reads import ErasedReads
from adapters.ports import NoDatabase, open_ports
from adapters.postgres_links import Links
from adapters.second_place import open_second_place
from adapters.settings import Settings
from commands.context import Context
from commands.erase_again import read_erased_list
from domain.ids import CorrelationId


async def erase_again(settings: Settings) -> int:
    """Give how many were back. Raises PlaceAway where the list cannot be read, and what open_ports raises."""
    if settings.database_url is None:
        raise NoDatabase("set MINOS_DATABASE_URL")
    place, links = open_second_place(settings), Links(settings.database_url.reveal(), size=1)
    try:
        async with open_ports(settings) as opened:
            ctx = Context(correlation_id=CorrelationId(opened.ports.random.uuid7()), system="cli")
            back = await read_erased_list(ErasedList(place), ErasedReads(links, believing=True), ctx, opened.ports)
    finally:
        await place.close()
        await links.close()
    if back:
        structlog.stdlib.get_logger().warning("erased_again", count=back)
    return back
