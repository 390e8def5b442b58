"""What journals have written down of an event, read in the same row as the event itself."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from msgspec import Struct

from projections.columns import as_written, columns_of
from projections.generations import Generation
from projections.projection import Journal, Projection


class Written:
    """What one journal has of an event: whether its copies fit, of which the database has both, and its other columns.

    `fits` is the place of the first in a row, None there where there is no row of the event; `own` those of the others, and `values`
    picks the same of a row that is not written yet.
    """

    def __init__(self, journal: Journal[Any], generation: Generation, first: int) -> None:
        self.journal = journal
        columns = columns_of(journal.row, without={*journal.copies, "position"})
        self._columns = columns
        self.values: Callable[[Struct], tuple[object, ...]] = attrgetter(*columns.names)
        self.fits, self.end = first, first + 1 + len(columns.names)
        self.own = slice(first + 1, self.end)
        self.columns = ", ".join([self._fit(), *map(self._at, columns.names)])
        self.join = f"LEFT JOIN {generation.table} {journal.name} ON {self._at('position')} = e.position"

    def _at(self, name: str) -> str:
        return f"{self.journal.name}.{name}"

    def _fit(self) -> str:
        same = " AND ".join(f"{self._at(name)} IS NOT DISTINCT FROM e.{name}" for name in self.journal.copies) or "true"
        return f"CASE WHEN {self._at('position')} IS NOT NULL THEN {same} END"

    def as_written(self, values: tuple[object, ...]) -> tuple[object, ...]:
        return as_written(self._columns, values)


def all_written(served: Iterable[Projection], tables: Mapping[str, Generation], first: int) -> Sequence[Written]:
    """Give the columns of each journal, the ones behind the others. `first` is where they begin in a row."""
    found: list[Written] = []
    for of in served:
        if isinstance(of, Journal):
            found.append(Written(of, tables[of.name], found[-1].end if found else first))
    return found
