"""Lets checkpoints go that later ones took over: a few at a time, so that none that is due waits for it (docs/adr/0066)."""

import asyncio

from adapters.postgres_links import Links
from adapters.tree_store import SQL

PAUSE_SECONDS = 600.0
"""Between two walks through all of them."""
ROWS = 200
"""Of one step: milliseconds."""


class Thinning:
    """For one integrator. Any number may do it at once."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._after = (0, 0)
        self._due = 0.0

    async def step(self) -> int:
        """Look at the next few, if it is time, and give how many went. Raises StoreUnavailable."""
        if asyncio.get_running_loop().time() < self._due:
            return 0
        ((seen, epoch, size, gone),) = await self._links.run(SQL["thin_checkpoints"], *self._after, ROWS)
        if seen < ROWS:
            self._after, self._due = (0, 0), asyncio.get_running_loop().time() + PAUSE_SECONDS
        else:
            self._after = (epoch, size)
        return int(gone)
