"""Appending one commit at a time: waiting for its locks, and finding out what became of it when a connection broke.

Sending a commit twice is safe: it expects the versions it was decided on, so at most one sending can pass. If the first
one did, the second loses and finds its own event ids in the log.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from asyncpg import Record

from adapters.event_store_columns import columns, stored_event
from adapters.postgres import Link
from commands.ports import Appended, AppendResult, Commit
from domain.errors import StoreUnavailable

RESOLVE_SECONDS = 8.0
"""How long a commit of unknown fate is asked after: a restart of Postgres fits, a failover may not."""

FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.5

BUSY = 1
RESULTS = {
    0: AppendResult.DONE,
    2: AppendResult.LOST_RACE,
    3: AppendResult.CLAIM_TAKEN,
    4: AppendResult.REPLAYED,
    5: AppendResult.KEY_CONFLICT,
}
DONE = Appended(result=AppendResult.DONE)


@dataclass(frozen=True, slots=True)
class LoneAppend:
    """`unknown`: it was sent before, and no answer came."""

    commit: Commit
    unknown: bool


def appended(row: Record) -> Appended | None:
    """Read one row of `append`; None when a head was locked elsewhere."""
    if row[0] == 0:
        return DONE
    return None if row[0] == BUSY else Appended(result=RESULTS[row[0]], outcome=row[1])


class LoneAppends:
    """Some connections on which a commit may wait for its locks without holding up a batch."""

    def __init__(self, links: Sequence[Link], sql: Mapping[str, str]) -> None:
        self._links = links
        self._sql = sql

    async def append(self, lane: int, append: LoneAppend) -> Appended:
        """Raise StoreUnavailable when the deadline passes without an answer: then nobody knows."""
        link, commit, unknown = self._links[lane], append.commit, append.unknown
        loop = asyncio.get_running_loop()
        until = loop.time() + RESOLVE_SECONDS
        pause = FIRST_PAUSE_SECONDS
        while True:
            sent = unknown
            try:
                await link.ready()
                sent = True
                (row,) = await link.fetch(self._sql["append"], *columns([commit], wait=True))
                result = appended(row)
                if result is not None and (not unknown or result is DONE):
                    return result
                if result is not None:
                    return DONE if await self._is_ours(link, commit) else result
            except StoreUnavailable:
                unknown = sent
                if not unknown:
                    raise
            if loop.time() + pause > until:
                raise StoreUnavailable
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def close(self) -> None:
        for link in self._links:
            await link.close()

    async def _is_ours(self, link: Link, commit: Commit) -> bool:
        for write in commit.writes:
            for event in write.events[:1]:
                rows = await link.fetch(self._sql["read_stream"], write.stream, write.expected, 1)
                return bool(rows) and stored_event(rows[0]).event_id == event.event_id
        return False
