"""What journals have written down, held against the events."""

from collections.abc import Sequence

import asyncpg

from domain.event import Recorded
from domain.ids import StreamName
from workers.audit.findings import Finding, Findings, Kind
from workers.audit.stream_pages import Page, StreamSource
from workers.audit.written import Written
from workers.decoded import Read


class Journals:
    def __init__(self, source: StreamSource, findings: Findings) -> None:
        self._source = source
        self._findings = findings

    def look_at(self, stream: StreamName, events: Sequence[Read], records: Sequence[asyncpg.Record], page: Page) -> None:
        """Check what is written down of these events of a stream, which are in these rows."""
        for written in self._source.written:
            fed = page.feeds.get(written.journal.name)
            if fed is not None and stream not in fed.parked:
                self._compare(written, events, records, fed.position(stream))

    def _compare(self, written: Written, events: Sequence[Read], records: Sequence[asyncpg.Record], up_to: int) -> None:
        """Hold what a journal has against what it would write now. Of a pruned event it may have it for a while."""
        write, name = written.journal.write, written.journal.name
        for event, record in zip(events, records, strict=True):
            position = event.position
            if position is None or position > up_to or not isinstance(event, Recorded):
                continue
            is_there, wanted = written.is_in(record), write(event)
            if wanted is None:
                if is_there:
                    self._add(name, position, "is of an event that it does not write down")
            elif not is_there:
                self._add(name, position, "is not there")
            elif not written.fits(wanted, record):
                self._add(name, position, "is not what its event says")

    async def end(self) -> None:
        """Check that nothing is written down of positions that there are not."""
        for written in self._source.written:
            for position in await self._source.surplus(written.journal):
                self._add(written.journal.name, position, "is of no event of the log")

    def _add(self, name: str, position: int, words: str) -> None:
        said = f"the row of position {position} in {name} {words}"
        self._findings.add(Finding(kind=Kind.READ_MODEL_DIFFERS, words=said, position=position, model=name))
