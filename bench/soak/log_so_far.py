"""The log while it grows: each look reads what came since the last one, and finds what clients were told and is not there."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from time import monotonic
from uuid import UUID

import asyncpg

from bench.soak.acknowledged import Acknowledged, Effect, effects_of, missing

_SINCE = """
SELECT l.position, e.stream, e.type, e.event_id, e.payload FROM events e
  JOIN event_log l USING (append_id) WHERE l.position > $1 ORDER BY l.position
"""
_ERASED = "SELECT count(*) AS events, count(*) FILTER (WHERE type = 'user.erased.v1') AS erased FROM events"
_STILL_S = 240.0
"""Whoever was asked for last is erased in the third minute: it is begun and ended by a worker that looks once a minute."""
_QUIET_S = 3.0
CAUGHT_UP = """
SELECT (SELECT size FROM log_head) >= $1
   AND (SELECT max(size) FROM log_checkpoints) >= $1
   AND NOT EXISTS (SELECT FROM projection_state WHERE status <> 'retired' AND position < $1)
"""


class LogSoFar:
    def __init__(self, told: Acknowledged) -> None:
        self._told = told
        self.event_ids: list[UUID] = []
        """Of each position, from 1 on."""
        self.effects: Counter[Effect] = Counter()
        self.skipped: list[str] = []
        self._known: set[str] = set()

    async def lost(self, connection: "asyncpg.Connection[asyncpg.Record]", acknowledged_before: float) -> Sequence[str]:
        """Read on, and give what was acknowledged before a moment and is missing: only what no look found before."""
        events = await connection.fetch(_SINCE, len(self.event_ids))
        self.effects.update(effects_of(events))
        for event in events:
            if event["position"] != len(self.event_ids) + 1:
                self.skipped.append(f"position {event['position']} follows {len(self.event_ids)}")
            self.event_ids.append(event["event_id"])
        found = [each for each in missing(self._told, self.effects, before=acknowledged_before) if each not in self._known]
        self._known.update(found)
        return found


async def size_of(connection: "asyncpg.Connection[asyncpg.Record]") -> tuple[float, int]:
    """Give a moment, and how many events there are that were committed before it, with a position or without."""
    now = monotonic()
    count: int = await connection.fetchval("SELECT count(*) FROM events")
    return now, count


async def still(database_url: str, *, erased: int) -> None:
    """Wait until so many people are erased, and nothing is appended any more. Raises TimeoutError."""
    connection = await asyncpg.connect(database_url)
    try:
        async with asyncio.timeout(_STILL_S):
            before = None
            while (now := await connection.fetchrow(_ERASED)) != before or now is None or now["erased"] < erased:
                before = now
                await asyncio.sleep(_QUIET_S)
    finally:
        await connection.close()


def differs(seen: Sequence[UUID], event_ids: Sequence[UUID]) -> list[str]:
    """What a subscriber saw elsewhere than the log has it."""
    pairs = enumerate(zip(seen, event_ids, strict=False), 1)
    return [f"a subscriber saw another event at {at}" for at, (one, other) in pairs if one != other]
