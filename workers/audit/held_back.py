"""Events that are known by their hashes alone, held against what the log says was done to it."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from domain.retention import ACTIVITY
from workers.audit.announced import Announced, Range
from workers.audit.entries import Columns
from workers.audit.findings import Finding, Findings, Kind


class HeldBack:
    """Partitions are pruned and moved away while the log is read: what it announced is read again before anything is called wrong."""

    def __init__(self, said: Announced, announced: Callable[[], Awaitable[Announced]], findings: Findings) -> None:
        self.said = said
        self._announced = announced
        self._findings = findings
        self._pruned_in: Counter[Range] = Counter()
        self.count = 0

    async def look(self, first: int, last: int, rows: Sequence[Columns]) -> None:
        """Look at the events that are there of two positions and those between, some of them without a payload."""
        there = {row[0] for row in rows}
        absent = [position for position in range(first, last + 1) if position not in there]
        empty = [row for row in rows if not row[-1]]
        if not all(map(self.said.is_detached, absent)) or not all(self.said.pruned_at(row[0]) for row in empty):
            await self._hear()
        for position in absent:
            self._absent(position)
        for row in empty:
            self._empty(row)

    async def end(self) -> None:
        """What is left of a pruned event, its kind for one, is under no hash any more: how many there may be is under that of the
        entry that tells of them."""
        if self._surplus():
            await self._hear()
        for (first, last), count, found in self._surplus():
            words = f"{found} events at positions {first} to {last} have lost their payloads, and the log says so of {count}"
            self._findings.add(Finding(kind=Kind.ENTRY_WITHHELD, words=words, position=first))

    async def _hear(self) -> None:
        """Ranges grow together as more is pruned: what was counted in them goes along."""
        self.said = await self._announced()
        counted, self._pruned_in = self._pruned_in, Counter()
        for within, count in counted.items():
            self._pruned_in[self.said.pruned_at(within[0]) or within] += count

    def _absent(self, position: int) -> None:
        if self.said.is_detached(position):
            self.count += 1
            return
        words = f"there is no event at position {position}"
        self._findings.add(Finding(kind=Kind.ENTRY_MISSING, words=words, position=position))

    def _empty(self, row: Columns) -> None:
        position, stream, version, kind = row[:4]
        self.count += 1
        within = self.said.pruned_at(position)
        if within is None or kind not in ACTIVITY or _category(stream, "-") != _category(kind, "."):
            words = f"the event at position {position} has lost its payload, and nothing in the log says that it was pruned"
            self._findings.add(Finding(kind=Kind.ENTRY_WITHHELD, words=words, position=position, stream=stream, version=version))
        else:
            self._pruned_in[within] += 1

    def _surplus(self) -> Sequence[tuple[Range, int, int]]:
        """Give ranges in which more is gone than the log says, with how many it says and how many are."""
        return [(within, count, found) for within, count in self.said.pruned if (found := self._pruned_in[within]) > count]


def _category(name: str, mark: str) -> str:
    """Give of what a stream, or an event by its kind, is."""
    return name.partition(mark)[0]
