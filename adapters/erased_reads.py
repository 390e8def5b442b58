"""For which databases the list of the erased was read: one that was restored is another, as long as this is not so for it, too."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from adapters.postgres_links import Links
from adapters.postgres_sql import statements
from adapters.second_place import PlaceAway
from domain.ids import UserId

SQL = statements(Path(__file__).with_suffix(".sql"))


class ErasedReads:
    """commands.ports.erased.ErasedReads. Every call raises StoreUnavailable."""

    def __init__(self, links: Links, *, believing: bool = False) -> None:
        """`believing`: an empty list is one, as for an operator who goes on after the second place was lost."""
        self._links = links
        self._believing = believing

    async def database(self) -> str:
        ((database,),) = await self._links.read(SQL["database"])
        return str(database)

    async def erased(self) -> Sequence[UserId]:
        return [UserId(UUID(str(row[0]))) for row in await self._links.read(SQL["erased"])]

    async def is_read(self, database: str) -> bool:
        ((is_read,),) = await self._links.read(SQL["is_read"], database)
        return bool(is_read)

    async def note(self, database: str, *, listed: int) -> None:
        """Raises PlaceAway for an empty list where people were erased: a disk that is not mounted is an empty folder."""
        ((is_noted,),) = await self._links.run(SQL["note"], database, 1 if self._believing else listed)
        if not is_noted:
            raise PlaceAway("nobody is on the list of the erased, though people were erased: is this the second place there was?")
