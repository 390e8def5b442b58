"""Before anything is answered: whoever was erased and is back, from an old backup of the database, is erased again."""

import structlog

from adapters.erased_list import ErasedList
from adapters.second_place import PlaceAway, open_second_place
from adapters.settings import Settings
from commands.context import Context
from commands.erase_again import erase_whoever_was
from commands.ports import Ports
from domain.ids import CorrelationId


async def erase_again(settings: Settings, ports: Ports) -> None:
    """Where the list cannot be read, go on and say so: `minos log open-epoch`, without which a restored log does not move, does not."""
    log = structlog.stdlib.get_logger()
    place = open_second_place(settings)
    try:
        back = await erase_whoever_was(ErasedList(place), Context(correlation_id=CorrelationId(ports.random.uuid7()), system="api"), ports)
    except PlaceAway as away:
        log.warning("second_place_away", reason=str(away))
        return
    finally:
        await place.close()
    if back:
        log.warning("erased_again", count=back)
