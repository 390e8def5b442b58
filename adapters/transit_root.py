"""A root key that a KMS wraps: it lies in PostgreSQL, opens with the KMS alone, and is opened once by each process."""

import secrets
from collections.abc import Sequence
from pathlib import Path

from adapters.master_key import MasterKey, named
from adapters.master_key_text import MASTER_KEY_BYTES
from adapters.postgres_links import Links
from adapters.postgres_sql import statements
from adapters.transit import KmsRefused, Transit

SQL = statements(Path(__file__).with_name("root_keys.sql"))


class TransitRoot:
    """`RootKeys`. A key's name is a digest of it, so that no row can be put in another's place.

    Two processes that start over an empty database at once end with the same key.
    """

    def __init__(self, links: Links, transit: Transit, *, makes: bool = True) -> None:
        self._links = links
        self._transit = transit
        self._makes = makes

    async def keys(self) -> Sequence[MasterKey]:
        """Raises KmsAway, KmsRefused, StoreUnavailable."""
        rows = await self._links.read(SQL["known"])
        if not rows and self._makes:
            await self._add()
            rows = await self._links.read(SQL["known"])
        return [await self._opened(row["kek_id"], row["wrapped"]) for row in rows]

    async def rewrap(self) -> int:
        """Have each key wrapped by the newest version of the KMS's key. Gives how many changed. As the owner; safe to repeat.

        What is given back takes the place of the only copy there is, so it has to open to the same key first. Raises KmsRefused.
        """
        moved = 0
        for row in await self._links.read(SQL["known"]):
            anew = await self._transit.rewrap(row["wrapped"])
            if anew != row["wrapped"]:
                await self._opened(row["kek_id"], anew)
                moved += len(await self._links.run(SQL["replace"], row["kek_id"], row["wrapped"], anew, self._transit.name))
        return moved

    async def _add(self) -> None:
        key = named("rk", secrets.token_bytes(MASTER_KEY_BYTES), self._transit.name)
        wrapped = await self._transit.encrypt(key.key)
        await self._links.run(SQL["add"], 1, key.kek_id, wrapped, self._transit.name)

    async def _opened(self, kek_id: str, wrapped: str) -> MasterKey:
        return await opened(self._transit, kek_id, wrapped)


async def opened(transit: Transit, kek_id: str, wrapped: str) -> MasterKey:
    """Raises KmsAway, KmsRefused."""
    key = named("rk", await transit.decrypt(wrapped), transit.name)
    if key.kek_id != kek_id:
        raise KmsRefused(f"the KMS at {transit.name} gave another key than {kek_id}")
    return key
