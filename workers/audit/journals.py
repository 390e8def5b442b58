"""What journals have written down, held against the events."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from domain.event import Recorded
from domain.ids import StreamName
from projections.projection import Journal
from workers.audit.findings import Finding, Findings, Kind
from workers.audit.models import same_values
from workers.audit.stream_pages import Page, StreamSource
from workers.decoded import Read


class Journals:
    def __init__(self, source: StreamSource, findings: Findings) -> None:
        self._source = source
        self._findings = findings

    def look_at(self, stream: StreamName, events: Sequence[Read], page: Page) -> None:
        """Check what is written down of these events of a stream."""
        for journal in self._source.journals:
            fed = page.feeds.get(journal.name)
            if fed is not None and stream not in fed.parked:
                self._written(journal, events, fed.position(stream), page.entries[journal.name])

    def _written(self, journal: Journal[Any], events: Sequence[Read], up_to: int, entries: dict[int, asyncpg.Record]) -> None:
        """Hold what a journal has against what it would write now. Of a pruned event it may have it for a while."""
        write = journal.write
        for event in events:
            position = event.position
            if position is None or position > up_to or not isinstance(event, Recorded):
                continue
            stored, wanted = entries.get(position), write(event)
            if wanted is None or stored is None:
                if stored is not None:
                    self._add(journal, position, "is of an event that it does not write down")
                elif wanted is not None:
                    self._add(journal, position, "is not there")
            elif not same_values(journal, wanted, stored, 0):
                self._add(journal, position, "is not what its event says")

    async def end(self) -> None:
        """Check that nothing is written down of positions that there are not."""
        for journal in self._source.journals:
            for position in await self._source.surplus(journal):
                self._add(journal, position, "is of no event of the log")

    def _add(self, journal: Journal[Any], position: int, words: str) -> None:
        said = f"the row of position {position} in {journal.name} {words}"
        self._findings.add(Finding(kind=Kind.READ_MODEL_DIFFERS, words=said, position=position, model=journal.name))
