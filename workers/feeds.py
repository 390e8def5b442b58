"""Which read models are kept up to date, how far each is, and what is held back."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from adapters.postgres_sql import statements
from domain.ids import StreamName
from projections.generations import Connection, Generation
from projections.projection import Projection
from workers.folding import Poison

SQL = statements(Path(__file__).with_suffix(".sql"))

ALL_SLOTS = (0, 63)


@dataclass(frozen=True, slots=True)
class Feed:
    """One generation of one projection, for the streams of a range of slots. The log up to `position` is in its rows."""

    projection: Projection
    generation: Generation
    slots: tuple[int, int]
    position: int

    def takes(self, stream: StreamName) -> bool:
        return self.slots == ALL_SLOTS or self.slots[0] <= slot_of(stream) <= self.slots[1]


def slot_of(stream: str) -> int:
    """Give the slot the log itself keeps for a stream."""
    return hashlib.sha256(stream.encode()).digest()[0] & 63


async def live(connection: Connection, projections: Mapping[str, Projection]) -> list[Feed]:
    """Give every feed whose table is of our folds and that nothing has stopped, the furthest behind first."""
    records = await connection.fetch(SQL["live"], list(projections), [projection.fold_version for projection in projections.values()])
    return [_feed(projections, record) for record in records]


async def take(
    connection: Connection, projections: Mapping[str, Projection], feeds: Sequence[Feed], streams: Sequence[StreamName]
) -> list[tuple[Feed, frozenset[StreamName]]]:
    """Lock the feeds that nobody else is at until the transaction ends, and read them again, each with those of `streams` it holds back."""
    records = await connection.fetch(
        SQL["take"],
        [feed.projection.name for feed in feeds],
        [feed.generation.number for feed in feeds],
        [feed.slots[0] for feed in feeds],
        streams,
    )
    return [(_feed(projections, record), frozenset(record["back"])) for record in records]


def _feed(projections: Mapping[str, Projection], record: asyncpg.Record) -> Feed:
    projection = projections[record["name"]]
    return Feed(
        projection,
        Generation(projection.name, projection.fold_version, record["version"]),
        (record["slot_from"], record["slot_to"]),
        record["position"],
    )


async def move(connection: Connection, feeds: Sequence[Feed], *, epoch: int) -> None:
    """Note how far feeds have come."""
    await connection.execute(
        SQL["move"],
        [feed.projection.name for feed in feeds],
        [feed.generation.number for feed in feeds],
        [feed.slots[0] for feed in feeds],
        [feed.position for feed in feeds],
        epoch,
    )


async def pause(connection: Connection, feed: Feed, reason: str) -> None:
    """Stop a feed where it is, and say why; `resume` or the next start tries again."""
    await connection.execute(SQL["pause"], feed.projection.name, feed.generation.number, feed.slots[0], reason)


async def resume(connection: Connection, projections: Iterable[str]) -> None:
    await connection.execute(SQL["resume"], list(projections))


async def park(connection: Connection, feed: Feed, poisoned: Sequence[Poison]) -> None:
    """Hold streams back from this feed from now on. A stream already held back keeps its first reason."""
    await connection.executemany(
        SQL["park"],
        [(feed.projection.name, feed.generation.number, p.stream, p.position, p.reason) for p in poisoned],
    )


async def divide(connection: Connection, projections: Iterable[str], ranges: int) -> None:
    """Share the slots of each read model among `ranges` feeds (1 to 64). The new ones go on from where the last old one was.

    Events that some rows have seen come again and change nothing. Nothing happens where the number is right already.
    """
    width = 64 // ranges
    starts = [n * width for n in range(ranges)]
    ends = [*(start - 1 for start in starts[1:]), 63]
    async with connection.transaction():
        await connection.execute(SQL["divide"], list(projections), starts, ends)
