"""The list of the erased of an office."""

from adapters.erased_list import ErasedList, open_erased_list
from adapters.ports import Opened
from adapters.postgres_links import Links
from adapters.second_place import open_second_place
from adapters.settings import Settings


async def list_of(settings: Settings, opened: Opened) -> ErasedList:
    assert settings.database_url is not None
    links = Links(settings.database_url.reveal(), size=1)
    try:
        return await open_erased_list(open_second_place(settings), links, opened.wrapping, settings.issuer)
    finally:
        await links.close()
