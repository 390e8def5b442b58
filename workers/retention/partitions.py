"""The partitions of the log: which there are, what became of each, and where their events lie."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

import asyncpg
import msgspec
from msgspec import Struct

from adapters.postgres_sql import statements
from domain.log import Stretch
from domain.retention import ACTIVITY

SQL = statements(Path(__file__).with_name("retention.sql"))
ACTOR = "system:retention"
BITS = 24
"""Of an id: how many ids one partition has, as a power of two. The database function `make_partition` has it too."""

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


class RetentionRefused(Exception):
    """Nothing was changed by this step. The message says why."""


class Partition(Struct, frozen=True, kw_only=True):
    """One table. What is known of a sealed one only is None before."""

    number: int
    bytes: int
    is_here: bool
    """False where a detached one was moved elsewhere altogether."""
    is_closed: bool
    """No id of it is given any more."""
    is_ahead: bool
    is_sealed: bool
    is_detached: bool
    first_position: int | None
    last_position: int | None
    events: int | None
    latest: datetime | None
    """When its newest event was recorded."""
    looked_lately: bool
    pruned: int
    journals_clean: bool

    @property
    def state(self) -> str:
        """`ahead` of the writers, `written`, `closed` and soon sealed, `sealed`, or `detached`."""
        if self.is_detached:
            return "detached"
        if self.is_sealed:
            return "sealed"
        if self.is_closed:
            return "closed"
        return "ahead" if self.is_ahead else "written"

    @property
    def low(self) -> int:
        return self.number << BITS

    @property
    def high(self) -> int:
        return (self.number + 1) << BITS

    @property
    def stretch(self) -> Stretch:
        """Raises RetentionRefused where it is not sealed yet."""
        if self.first_position is None or self.last_position is None or self.events is None:
            raise RetentionRefused(f"partition {self.number} is not sealed yet: `minos retention run` seals what is full")
        return Stretch(partition=self.number, first_position=self.first_position, last_position=self.last_position, events=self.events)

    def statement(self, name: str) -> str:
        """Give a statement with the names of this partition's tables, which are made of its number alone, put in."""
        part = f"events_p{self.number:06}"
        return SQL[name].format_map(
            {
                "part": f"{'detached' if self.is_detached else 'public'}.{part}",
                "part_name": part,
                "copy": f"public.{part}_next",
                "copy_name": f"{part}_next",
                "low": self.low,
                "high": self.high,
                "activity": ", ".join(f"'{tag}'" for tag in sorted(ACTIVITY)),
            }
        )


async def partitions(connection: Connection) -> Sequence[Partition]:
    """Give all there are, the oldest first."""
    return [msgspec.convert(dict(row), type=Partition) for row in await connection.fetch(SQL["partitions"])]


async def one(connection: Connection, number: int) -> Partition:
    """Raises RetentionRefused when there is no such partition."""
    for partition in await partitions(connection):
        if partition.number == number:
            return partition
    raise RetentionRefused(f"there is no partition {number}; see `minos retention status`")


async def require_owner(connection: Connection) -> None:
    """Raises RetentionRefused for a role that cannot even see how far the ids are."""
    if not await connection.fetchval(SQL["owns"]):
        raise RetentionRefused("only the role that owns the schema keeps the log small; set MINOS_MIGRATION_DATABASE_URL")


async def take_turn(connection: Connection) -> None:
    """Keep others from working at the same time, as long as this connection lives. Raises RetentionRefused."""
    await require_owner(connection)
    if not await connection.fetchval(SQL["take_turn"]):
        raise RetentionRefused("another `minos retention` is at work")


async def readers_are_past(connection: Connection, partition: Partition) -> None:
    """Raises RetentionRefused where a read model that is made of the log has not come to the end of the partition yet."""
    slowest = await connection.fetchval(SQL["slowest_reader"])
    if slowest is not None and slowest < partition.stretch.last_position:
        raise RetentionRefused(f"a reader of the log is at {slowest}, and partition {partition.number} ends behind it")
