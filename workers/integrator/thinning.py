"""Lets checkpoints go that later ones took over: a few at a time, so that none that is due waits for it (docs/adr/0066)."""

import asyncio

import structlog

from adapters.postgres_links import Links
from adapters.tree_store import SQL
from domain.errors import StoreUnavailable

PAUSE_SECONDS = 600.0
"""Between two walks through all of them."""
ROWS = 200
"""Of one step: milliseconds."""


log = structlog.stdlib.get_logger()


class Thinning:
    """For one integrator. Any number may do it at once."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._after = (0, 0)
        self._due = 0.0

    async def step(self) -> int:
        """Look at the next few, if it is time, and give how many went. Where that fails, another time will do: nothing hangs on it."""
        if _now() < self._due:
            return 0
        try:
            ((seen, epoch, size, gone),) = await self._links.run(SQL["thin_checkpoints"], *self._after, ROWS)
        except StoreUnavailable:
            log.warning("checkpoints_not_thinned", delay_s=PAUSE_SECONDS)
            self._due = _now() + PAUSE_SECONDS
            return 0
        if seen < ROWS:
            self._after, self._due = (0, 0), _now() + PAUSE_SECONDS
        else:
            self._after = (epoch, size)
        return int(gone)


def _now() -> float:
    return asyncio.get_running_loop().time()
