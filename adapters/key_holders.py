"""Which root keys the processes that run have: nothing is wrapped by a key that one of them would not know.

So a new master key can be given to one process after the other, while all of them serve.
"""

import os
import socket
from collections.abc import Iterable, Sequence
from pathlib import Path
from uuid import uuid4

from msgspec import Struct

from adapters.postgres_links import Links
from adapters.postgres_sql import statements
from adapters.wrapping import Wrapping

SQL = statements(Path(__file__).with_suffix(".sql"))


class Holder(Struct, frozen=True, kw_only=True):
    """A process that was there within the last 90 s. `place`: machine and process id."""

    place: str
    kek_ids: tuple[str, ...]


class Announced:
    """This process among the others. Once every 20 s it says that it is there, and learns of them."""

    def __init__(self, links: Links, root: Wrapping) -> None:
        self._links, self._root = links, root
        self._process = uuid4()
        self._place = f"{socket.gethostname()[:200]}/{os.getpid()}"

    async def announce(self) -> None:
        """Keep from now on to what all of us have. Raises StoreUnavailable."""
        rows = await self._links.run(SQL["announce"], self._process, self._place, self._root.kek_ids)
        self._root.keep_to(known_to_all([Holder(place=row[0], kek_ids=tuple(row[1])) for row in rows]))

    async def leave(self) -> None:
        await self._links.run(SQL["leave"], self._process)


async def present(links: Links) -> Sequence[Holder]:
    return [Holder(place=row[0], kek_ids=tuple(row[1])) for row in await links.read(SQL["present"])]


def known_to_all(holders: Iterable[Holder]) -> set[str] | None:
    """Give the keys that each of them has; None where there is nobody."""
    known: set[str] | None = None
    for holder in holders:
        known = set(holder.kek_ids) if known is None else known & set(holder.kek_ids)
    return known
