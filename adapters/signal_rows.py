"""The set of live signals as Postgres has it, for those who get it over HTTP."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from adapters.postgres_links import Links
from adapters.postgres_sql import statements
from adapters.signal_sets import Beat
from domain.signals.facts import SignalClass

SQL = statements(Path(__file__).with_suffix(".sql"))
CONNECTIONS = 3
"""Of a process, however many listen: one for what is new, two for those who catch up."""


class ClassState(Struct, frozen=True, kw_only=True):
    """How far a class is. `complete_to`: microseconds since 1970, by the database's clock; every commit before it is in the rows."""

    of_class: SignalClass
    epoch: int
    count: int
    beat: int
    complete_to: int
    state: str
    checkpoint: str = ""

    @property
    def heartbeat(self) -> Beat:
        """There is no stream of messages here that it could be a sequence of."""
        return Beat(
            of_class=self.of_class,
            epoch=self.epoch,
            count=self.count,
            sequence=0,
            beat=self.beat,
            complete_to=self.complete_to,
            state=self.state,
            checkpoint=self.checkpoint,
        )


class Completeness(Struct, frozen=True):
    """What was committed before `complete_to` (microseconds since 1970; 0 where nobody can tell) is in the rows once they have the log up
    to `size`; they have it up to `told`."""

    asked_at: int
    complete_to: int
    epoch: int
    size: int
    told: int

    def has(self, earlier: "Completeness") -> bool:
        """Tell whether the rows have all now that was spoken of then."""
        return self.epoch == earlier.epoch and self.told >= earlier.size


class SignalRow(Struct, frozen=True, kw_only=True):
    """A fact's body as it is signed, and its count: rising, and with gaps where a newer fact took another's place."""

    count: int
    body: bytes


class SignalRows:
    """All raise StoreUnavailable."""

    def __init__(self, url: str) -> None:
        self._links = Links(url, size=CONNECTIONS)

    async def classes(self, names: Collection[SignalClass]) -> Mapping[SignalClass, ClassState]:
        """Give those that there are. It is asked for 50 times a second, and there is a class for each audience."""
        rows = await self._links.read(SQL["classes"], list(names))
        return {row["class"]: ClassState(of_class=row["class"], **{name: row[name] for name in _COLUMNS}) for row in rows}

    async def completeness(self) -> Completeness:
        """Look how far the rows are behind what is committed."""
        (row,) = await self._links.read(SQL["completeness"])
        return Completeness(*row)

    async def after(self, of_class: SignalClass, count: int, limit: int) -> Sequence[SignalRow]:
        """Give the first rows after `count`, at most `limit`. Read after the class's state they are all that it says there is."""
        rows = await self._links.read(SQL["facts_after"], of_class, count, limit)
        return [SignalRow(count=row["count"], body=row["fact"]) for row in rows]

    async def aclose(self) -> None:
        await self._links.close()


_COLUMNS = ("epoch", "count", "beat", "complete_to", "state", "checkpoint")
