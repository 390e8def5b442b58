"""What journals have written down, held against the events, in the order of the log."""

import asyncio
from collections.abc import Callable
from typing import Any

from domain.event import Recorded
from projections.projection import Journal
from workers.audit.findings import Finding, Findings, Kind
from workers.audit.models import same_values
from workers.audit.stream_pages import StreamSource, Stretch

POSITIONS = 4_000


class Journals:
    def __init__(self, source: StreamSource, findings: Findings) -> None:
        self._source = source
        self._findings = findings
        self._journals: list[Journal[Any]] = [of for of in source.served if isinstance(of, Journal)]

    async def through(self, after: int, size: int, progress: Callable[[int], None]) -> None:
        """Check what is written down of the events behind a position, and that nothing is of positions that there are not."""
        following: asyncio.Task[Stretch] | None = None
        for start in range(after, size, POSITIONS):
            end = min(size, start + POSITIONS)
            stretch = await (following or asyncio.create_task(self._source.stretch(start, end)))
            following = asyncio.create_task(self._source.stretch(end, min(size, end + POSITIONS))) if end < size else None
            await asyncio.sleep(0)  # it asks before this stretch is worked on
            for journal in self._journals:
                self._written(journal, stretch)
            progress(end - after)
        for journal in self._journals:
            for position in await self._source.surplus(journal):
                self._add(journal, position, "is of no event of the log")

    def _written(self, journal: Journal[Any], stretch: Stretch) -> None:
        """Hold what a journal has against what it would write now. Of a pruned event it may have it for a while."""
        fed = stretch.feeds.get(journal.name)
        if fed is None:
            return
        entries, write = stretch.entries[journal.name], journal.write
        for event in stretch.events:
            position = event.position
            if position is None or not isinstance(event, Recorded) or position > fed.position(event.stream) or event.stream in fed.parked:
                continue
            stored, wanted = entries.get(position), write(event)
            if wanted is None or stored is None:
                if stored is not None:
                    self._add(journal, position, "is of an event that it does not write down")
                elif wanted is not None:
                    self._add(journal, position, "is not there")
            elif not same_values(journal, wanted, stored, 0):
                self._add(journal, position, "is not what its event says")

    def _add(self, journal: Journal[Any], position: int, words: str) -> None:
        said = f"the row of position {position} in {journal.name} {words}"
        self._findings.add(Finding(kind=Kind.READ_MODEL_DIFFERS, words=said, position=position, model=journal.name))
