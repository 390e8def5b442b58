"""What journals have written down, held against the events."""

from collections.abc import Sequence

import asyncpg

from domain.event import Recorded
from workers.audit.findings import Finding, Findings, Kind
from workers.audit.models import Feeds
from workers.audit.stream_pages import Page, StreamSource
from workers.audit.written import Written
from workers.decoded import Read


class Journals:
    def __init__(self, source: StreamSource, findings: Findings) -> None:
        self._source = source
        self._findings = findings

    def look_at(self, page: Page, some: slice) -> None:
        """Check what is written down of some of a page's events."""
        for written in self._source.written:
            fed = page.feeds.get(written.journal.name)
            if fed is not None:
                self._compare(written, fed, page.events[some], page.records[some])

    def _compare(self, written: Written, fed: Feeds, events: Sequence[Read], records: Sequence[asyncpg.Record]) -> None:
        """Hold what a journal has against what it would write now, further than it says it is if it is there. Of a pruned event it may
        have it for a while."""
        write, values_of, name = written.journal.write, written.values, written.journal.name
        at, own = written.fits, written.own
        stream, up_to, is_parked = None, 0, False
        for event, record in zip(events, records, strict=True):
            if event.stream != stream:
                stream = event.stream
                up_to, is_parked = fed.position(stream), stream in fed.parked
            position, fits = event.position, record[at]
            if position is None or is_parked or (fits is None and position > up_to):
                continue
            if not isinstance(event, Recorded):
                if fits is False:
                    self._add(name, position, "is not what is left of its event")
                continue
            row = write(event)
            if row is None:
                if fits is not None:
                    self._add(name, position, "is of an event that it does not write down")
            elif fits is None:
                self._add(name, position, "is not there")
            elif not fits or ((values := values_of(row)) != record[own] and written.as_written(values) != record[own]):
                self._add(name, position, "is not what its event says")

    async def end(self) -> None:
        """Check that nothing is written down of positions that there are not."""
        for written in self._source.written:
            for position in await self._source.surplus(written.journal):
                self._add(written.journal.name, position, "is of no event of the log")

    def _add(self, name: str, position: int, words: str) -> None:
        said = f"the row of position {position} in {name} {words}"
        self._findings.add(Finding(kind=Kind.READ_MODEL_DIFFERS, words=said, position=position, model=name))
