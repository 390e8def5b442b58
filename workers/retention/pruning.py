"""Takes payloads whose time is over out of a sealed partition: a copy without them is built beside it, and takes its place.

Nobody waits for the copying. The swap itself stops the log for some milliseconds, and gives up where it would have to wait for that; it
tries again later. Killed on the way, the copy is there and the next call goes on with it; killed in the swap, it has happened or not.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from time import monotonic

import structlog
from msgspec import Struct

from adapters.event_store import PostgresEventStore
from domain import log as said
from domain.retention import ACTIVITY
from workers.retention.finding import Finder
from workers.retention.partitions import SQL, Connection, Partition, RetentionRefused, readers_are_past
from workers.retention.swapping import swap

ROWS = 5_000
"""Of a step: copied in some tens of milliseconds."""
WORTH = 0.01
"""Of a partition's events, before it is copied: the copying costs as much for one as for all."""

log = structlog.stdlib.get_logger()


class Advance(Struct, frozen=True, kw_only=True):
    """How far a partition is, in events."""

    partition: int
    done: int
    total: int
    per_second: float

    @property
    def stage(self) -> str:
        return f"partition {self.partition}"


Progress = Callable[[Advance], None]


def _unobserved(_: Advance) -> None:
    pass


class Pruner:
    """One partition at a time, over a connection of the owner's."""

    def __init__(
        self,
        connection: Connection,
        store: PostgresEventStore,
        *,
        over_before: datetime,
        progress: Progress = _unobserved,
        rows: int = ROWS,
    ) -> None:
        self._connection = connection
        self._store = store
        self._over_before = over_before
        self._progress = progress
        self._rows = rows

    async def is_due(self, partition: Partition) -> bool:
        """Tell whether all of it is old enough, and so much activity in it that a look is worth while: one in a month."""
        if partition.latest is None or partition.latest >= self._over_before or partition.looked_lately or partition.is_detached:
            return False
        count = await self._connection.fetchval(partition.statement("worth_a_look"), list(ACTIVITY))
        return bool(count and count >= WORTH * partition.stretch.events)

    async def look(self, partition: Partition) -> int:
        """Give how many payloads would go. Changes nothing."""
        finder, found, after, began, done = await self._finder(), 0, partition.low - 1, monotonic(), 0
        while (through := await self._end(partition, after)) is not None:
            found += len(await finder.found(partition, after, through))
            done, after = done + self._rows, through
            self._tell(partition, done, began)
        return found

    async def prune(self, partition: Partition) -> int:
        """Give how many payloads went. Raises RetentionRefused, NotAsHashed."""
        await readers_are_past(self._connection, partition)
        await self._copy(partition)
        count = await self._connection.fetchval(partition.statement("gone"))
        if not count:
            await self._connection.execute(partition.statement("drop_copy"))
            await self._connection.execute(SQL["note_look"], partition.number)
            return 0
        await self._make_ready(partition)
        await self._swap(partition, count)
        log.info("partition_pruned", partition=partition.number, count=count)
        return int(count)

    async def _finder(self) -> Finder:
        provable = await self._connection.fetchval(SQL["provable"])
        return Finder(self._connection, self._store, over_before=self._over_before, provable=provable)

    async def _end(self, partition: Partition, after: int) -> int | None:
        through: int | None = await self._connection.fetchval(partition.statement("next_end"), after, self._rows)
        return through

    async def _copy(self, partition: Partition) -> None:
        await self._connection.execute(partition.statement("begin_copy"))
        (copied,) = await self._connection.fetch(partition.statement("copied"))
        after = partition.low - 1 if copied["up_to"] is None else copied["up_to"]
        finder, done, began = await self._finder(), copied["events"], monotonic()
        while (through := await self._end(partition, after)) is not None:
            started = monotonic()
            going = await finder.found(partition, after, through)
            await self._connection.execute(partition.statement("copy"), after, through, going)
            done, after = done + self._rows, through
            self._tell(partition, done, began)
            await asyncio.sleep(monotonic() - started)  # half the time is for others

    async def _make_ready(self, partition: Partition) -> None:
        for statement in ("index_copy", "guard_copy"):
            await self._connection.execute(partition.statement(statement))
        differing = await self._connection.fetchval(partition.statement("differing"), list(ACTIVITY))
        if differing:
            await self._connection.execute(partition.statement("drop_copy"))
            raise RetentionRefused(f"the copy of partition {partition.number} differed in {differing} rows and was thrown away")
        await self._connection.execute(partition.statement("freeze_copy"))
        await self._connection.execute(partition.statement("refuse_rows_in_copy"))

    async def _swap(self, partition: Partition, count: int) -> None:
        of, before = partition.stretch, self._over_before
        await swap(
            self._connection,
            partition.statement("swap"),
            told=lambda state, at: said.prune(state, of=of, count=count, older_than=before, at=at),
            noted=("note_pruned", (partition.number, count)),
        )

    def _tell(self, partition: Partition, done: int, began: float) -> None:
        total = partition.events or 0
        rate = done / max(monotonic() - began, 0.001)
        self._progress(Advance(partition=partition.number, done=min(done, total), total=total, per_second=rate))
