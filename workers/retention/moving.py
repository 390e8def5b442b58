"""Takes a sealed partition out of the log's table once its export was checked, and brings it back.

The oldest go first and come back last, so that what is in the table is always the newer end of the log.
"""

from pathlib import Path

import structlog
from msgspec.structs import replace

from domain import log as said
from workers.retention.exported import check_export, check_rows
from workers.retention.partitions import Connection, Partition, RetentionRefused, one, partitions, readers_are_past
from workers.retention.swapping import swap

log = structlog.stdlib.get_logger()


async def detach(connection: Connection, number: int, export: Path) -> Partition:
    """Raises RetentionRefused where anything speaks against it, as an entry that the export lacks."""
    partition = await one(connection, number)
    of = partition.stretch
    if partition.is_detached:
        raise RetentionRefused(f"partition {number} is detached already")
    if not partition.is_sealed or not partition.journals_clean:
        raise RetentionRefused(f"partition {number} is still being worked at: `minos retention run`, with the workers running")
    everything = await partitions(connection)
    if older := [each.number for each in everything if each.number < number and not each.is_detached]:
        raise RetentionRefused(f"the oldest go first: partition {older[0]} is still there")
    await readers_are_past(connection, partition)
    counted = await check_export(connection, partition, export)
    if counted != of.events:
        raise RetentionRefused(f"partition {number} has {counted} events, and {of.events} when it was sealed; see `minos audit verify`")
    # What is told covers all that is away, since what was told of the others may be away as well.
    first = min([of.first_position, *(each.stretch.first_position for each in everything if each.is_detached)])
    of = replace(of, first_position=first)
    await swap(
        connection,
        partition.statement("detach"),
        told=lambda state, at: said.detach(state, of=of, at=at),
        noted=("note_detached", (number,)),
    )
    log.warning("partition_detached", partition=number, count=of.events)
    return partition


async def attach(connection: Connection, number: int) -> Partition:
    """Raises RetentionRefused; NotAsHashed for a partition that is not as it was, which stays where it is."""
    partition = await one(connection, number)
    of = partition.stretch
    if not partition.is_detached:
        raise RetentionRefused(f"partition {number} is not detached")
    if not partition.is_here:
        raise RetentionRefused(f"the table detached.events_p{number:06} is not there: restore it first")
    if newer := [each.number for each in await partitions(connection) if each.number > number and each.is_detached]:
        raise RetentionRefused(f"the newest come back first: partition {newer[-1]} is still detached")
    counted = await check_rows(connection, partition)
    if counted != of.events:
        raise RetentionRefused(f"partition {number} has {counted} events, and had {of.events}")
    await connection.execute(partition.statement("bound"))
    await swap(
        connection,
        partition.statement("attach"),
        told=lambda state, at: said.attach(state, of=of, at=at),
        noted=("note_attached", (number,)),
    )
    log.warning("partition_attached", partition=number, count=of.events)
    return partition
