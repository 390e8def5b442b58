"""Closes the partition that is written, and seals those that are not any more.

A sealed partition is frozen, has no index of transaction ids, refuses rows, and is looked at by no sequencer. Killed on the way, the
next call goes on: what is told was done in one transaction, and what follows it is seen to be missing.
"""

import asyncio
from datetime import datetime

import asyncpg

from domain import log
from domain.log import Stretch
from workers.log_stream import tell
from workers.retention.partitions import ACTOR, SQL, Connection, Partition, RetentionRefused
from workers.sequencer import FOREIGN

LOOK_SECONDS = 0.02
WAIT_SECONDS = 60.0
"""How long a transaction may be open that began while the partition was written. Those of the service last seconds at most."""


async def close(connection: Connection, live: Partition, *, begun_before: datetime, dry: bool = False) -> bool:
    """Have what comes go into the next partition, where this one's first event is older than that. False where nothing was done.

    With `dry`, tell whether that is so.
    """
    first = await connection.fetchval(live.statement("first_written"))
    if first is None or first >= begun_before:
        return False
    return dry or await connection.fetchval(SQL["close"]) is not None


async def seal(connection: Connection, partition: Partition) -> bool:
    """False where it is empty. Raises RetentionRefused where something of it has no position, or a transaction stays open."""
    if partition.events is None:
        await _all_ended(connection)
        if not await _note(connection, partition):
            return False
    await connection.execute("SET vacuum_cost_delay = '2ms'")
    await connection.execute(partition.statement("freeze"))
    await connection.execute(partition.statement("forget_transactions"))
    await connection.execute(partition.statement("refuse_rows"))
    return True


async def _all_ended(connection: Connection) -> None:
    """Wait until nobody can hold an id of a closed partition that is not there yet."""
    begun = await connection.fetchval(SQL["begun"])
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while not await connection.fetchval(SQL["all_ended"], begun):
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError:
        raise RetentionRefused("a transaction stays open that may still write into this partition; see pg_stat_activity") from None


async def _note(connection: Connection, partition: Partition) -> bool:
    """False where nothing was ever written into it."""
    (written,) = await connection.fetch(partition.statement("written"))
    if not written["events"]:
        return False
    placed = await _placed(connection, partition, written["events"])
    if placed["events"] != written["events"]:
        missing = placed["events"] - written["events"]
        raise RetentionRefused(f"partition {partition.number} lacks {missing} events that have positions; see `minos audit verify`")
    of = Stretch(partition=partition.number, first_position=placed["first"], last_position=placed["last"], events=written["events"])
    async with connection.transaction():
        await tell(connection, lambda state, at: log.seal(state, of=of, at=at), actor=ACTOR)
        await connection.execute(SQL["note_sealed"], of.partition, of.first_position, of.last_position, of.events, written["latest"])
        await connection.execute(SQL["raise_fence"], partition.high - 1)
    return True


async def _placed(connection: Connection, partition: Partition, events: int) -> asyncpg.Record:
    """Have positions given to all of it, and say where they are."""
    until = asyncio.get_running_loop().time() + WAIT_SECONDS
    while True:
        (placed,) = await connection.fetch(SQL["stretch"], partition.low, partition.high)
        if placed["events"] >= events:
            return placed
        if await connection.fetchval(SQL["sequence"]) == FOREIGN or asyncio.get_running_loop().time() > until:
            raise RetentionRefused("not every event gets its position: see `minos log status` and `minos doctor`")
        await asyncio.sleep(LOOK_SECONDS)
