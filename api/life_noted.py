"""How long access tokens live by the settings of this process, noted before it issues one: a revocation has to outlive it (threats.md 8).

Signing in and refreshing say it in their events. Proving who one is again gives a token too, of which no event says it, and whoever folds
the log may have other settings.
"""

import asyncpg

from projections.sql import beside

_SQL = beside(__file__)


async def note_life(pool: "asyncpg.Pool[asyncpg.Record]", seconds: int) -> None:
    await pool.execute(_SQL["note"], seconds)
