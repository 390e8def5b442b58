"""Erasing again whoever an old backup brought back: before anything is served from the database."""

import structlog

from adapters.erased_list import ErasedList
from adapters.ports import open_ports
from adapters.second_place import open_second_place
from adapters.settings import Settings
from commands.context import Context
from commands.erase_again import erase_whoever_was
from domain.ids import CorrelationId


async def erase_again(settings: Settings) -> int:
    """Give how many were back. Raises PlaceAway where the list cannot be read, and what open_ports raises."""
    place = open_second_place(settings)
    try:
        async with open_ports(settings) as opened:
            ctx = Context(correlation_id=CorrelationId(opened.ports.random.uuid7()), system="cli")
            back = await erase_whoever_was(ErasedList(place), ctx, opened.ports)
    finally:
        await place.close()
    if back:
        structlog.stdlib.get_logger().warning("erased_again", count=back)
    return back
