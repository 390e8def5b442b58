"""One run of keeping the log small: close what is old, seal what is full, prune what has its time."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from msgspec import Struct

from adapters.event_store import PostgresEventStore
from adapters.postgres import CONNECT_SECONDS
from adapters.postgres_connect import connect
from workers.retention import sealing
from workers.retention.partitions import Connection, Partition, partitions, take_turn
from workers.retention.pruning import Advance, Pruner


class Kept(Struct, frozen=True, kw_only=True):
    """What was done with a partition, or would be."""

    partition: int
    closed: bool = False
    sealed: bool = False
    pruned: int = 0
    """Payloads that went."""

    @property
    def is_something(self) -> bool:
        return self.closed or self.sealed or self.pruned > 0


async def keep_small(
    url: str,
    *,
    close_before: datetime,
    over_before: datetime,
    dry: bool = False,
    progress: Callable[[Advance], None] = lambda _: None,
) -> Sequence[Kept]:
    """Do all that is due, and give what that was. `url` is the owner role's; with `dry`, only say it.

    The partition that is written is closed when its first event is from before `close_before`; payloads of streams that were over
    before `over_before` go. Raises RetentionRefused, NotAsHashed, StoreUnavailable; what was done before stays done.
    """
    async with opened(url) as connection:
        store = PostgresEventStore(url)
        try:
            closed = await _close(connection, close_before, dry=dry)
            pruner = Pruner(connection, store, over_before=over_before, progress=progress)
            done = [await _keep(connection, pruner, each, closed, dry=dry) for each in await partitions(connection)]
        finally:
            await store.close()
    return [each for each in done if each.is_something]


@asynccontextmanager
async def opened(url: str) -> AsyncGenerator[Connection]:
    """Raises RetentionRefused when this is not the owner, or somebody is at it."""
    connection = await connect(url, timeout=CONNECT_SECONDS)
    try:
        await take_turn(connection)
        yield connection
    finally:
        await connection.close(timeout=5)


async def _close(connection: Connection, before: datetime, *, dry: bool) -> int | None:
    (live, *_) = [each for each in await partitions(connection) if not each.is_closed]
    return live.number if await sealing.close(connection, live, begun_before=before, dry=dry) else None


async def _keep(connection: Connection, pruner: Pruner, of: Partition, closed: int | None, *, dry: bool) -> Kept:
    sealed = False
    if (of.is_closed or of.number == closed) and not of.is_sealed:
        sealed = dry or await sealing.seal(connection, of)
        if not dry:
            (of,) = [each for each in await partitions(connection) if each.number == of.number]
    pruned = 0
    if of.is_sealed and await pruner.is_due(of):
        pruned = await (pruner.look(of) if dry else pruner.prune(of))
    return Kept(partition=of.number, closed=of.number == closed, sealed=sealed, pruned=pruned)
