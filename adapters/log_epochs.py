"""What the log says of its own epochs."""

from adapters.event_store import SQL
from adapters.event_store_columns import stored_event
from adapters.postgres_links import Links
from domain.codec import decode_event, tag_of
from domain.log import STREAM, EpochOpened

_PAGE = 500
_TAG = tag_of(EpochOpened)


async def opened(links: Links, epoch: int) -> EpochOpened | None:
    """Give the event that began an epoch. None for the first, and where nobody wrote one. Raises StoreUnavailable."""
    after = 0
    while rows := await links.read(SQL["read_stream"], STREAM, after, _PAGE):
        for stored in map(stored_event, rows):
            after = stored.version
            if stored.type == _TAG:
                event = decode_event(stored.type, stored.payload)
                if isinstance(event, EpochOpened) and event.epoch == epoch:
                    return event
    return None
