"""The read models as they serve now: their tables, how far each is, and what they hold back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from adapters.postgres_sql import statements
from projections import generations
from projections.generations import Generation
from projections.projection import Projection
from workers.feeds import ALL_SLOTS, slot_of

SQL = statements(Path(__file__).with_name("folds.sql"))


@dataclass(frozen=True, slots=True)
class Feeds:
    """How far a read model is: by slots, where several projectors share them."""

    positions: Sequence[tuple[int, int, int]]
    parked: frozenset[str]

    def position(self, stream: str) -> int:
        first, last, position = self.positions[0]
        if (first, last) == ALL_SLOTS:
            return position
        slot = slot_of(stream)
        return next((position for first, last, position in self.positions if first <= slot <= last), 0)

    @property
    def everywhere(self) -> int:
        """The position up to which all streams are in its rows."""
        through, lowest = -1, self.positions[0][2]
        for first, last, position in sorted(self.positions):
            if first > through + 1:
                return 0
            through, lowest = max(through, last), min(lowest, position)
        return lowest if through >= ALL_SLOTS[1] else 0


async def serving(connection: "asyncpg.Connection[asyncpg.Record]", projections: Iterable[Projection]) -> Mapping[str, Generation]:
    """Give of each read model the generation that queries go to; one that was never made is not there."""
    found = {projection.name: await generations.served(connection, projection) for projection in projections}
    return {name: generation for name, generation in found.items() if generation is not None}


async def feeds(connection: "asyncpg.Connection[asyncpg.Record]", tables: Mapping[str, Generation]) -> Mapping[str, Feeds]:
    """Give how far each is now; one whose generation was dropped meanwhile is not there."""
    names, numbers = list(tables), [generation.number for generation in tables.values()]
    states = await connection.fetch(SQL["feeds"], names, numbers)
    parked = await connection.fetch(SQL["parked"], names, numbers)
    return {
        name: Feeds(
            [(row["slot_from"], row["slot_to"], row["position"]) for row in states if row["name"] == name],
            frozenset(row["stream"] for row in parked if row["name"] == name),
        )
        for name in {row["name"] for row in states}
    }
