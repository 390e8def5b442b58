"""What journals have written down of an event, read in the same row as the event itself."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import Any

import asyncpg
from msgspec import Struct

from projections.columns import to_values
from projections.generations import Generation
from projections.projection import Journal, Projection
from workers.audit.models import same


class Written:
    """The columns of one journal. Those that are copies of the event's are compared by the database, which has both."""

    def __init__(self, journal: Journal[Any], generation: Generation, first: int) -> None:
        """`first` is the place of the first of its columns in a row."""
        self.journal = journal
        own = ["position", *(name for name in journal.columns.names if name not in {*journal.copies, "position"})]
        self._values = self._picked(own) if journal.columns.sealed else attrgetter(*own)
        self._first, self._own = first, slice(first, first + len(own))
        self._fits = first + len(own)
        self.end = self._fits + 1
        self.columns = ", ".join([*map(self._at, own), self._fit()])
        self.join = f"LEFT JOIN {generation.table} {journal.name} ON {self._at('position')} = e.position"

    def _at(self, name: str) -> str:
        return f"{self.journal.name}.{name}"

    def _fit(self) -> str:
        return " AND ".join(f"{self._at(name)} IS NOT DISTINCT FROM e.{name}" for name in self.journal.copies) or "true"

    def _picked(self, own: Sequence[str]) -> Callable[[Struct], tuple[object, ...]]:
        columns = self.journal.columns
        pick = itemgetter(*map(columns.names.index, own))
        return lambda row: pick(to_values(columns, row))

    def is_in(self, record: asyncpg.Record) -> bool:
        """Tell whether there is a row of the event."""
        return record[self._first] is not None

    def fits(self, row: Struct, record: asyncpg.Record) -> bool:
        """Tell whether what is written down is that row."""
        return record[self._fits] is True and same(self._values(row), record[self._own])


def all_written(served: Iterable[Projection], tables: Mapping[str, Generation], first: int) -> Sequence[Written]:
    """Give the columns of each journal, the ones behind the others. `first` is where they begin in a row."""
    found: list[Written] = []
    for of in served:
        if isinstance(of, Journal):
            found.append(Written(of, tables[of.name], found[-1].end if found else first))
    return found
