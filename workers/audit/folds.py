"""All streams folded anew, one after the other, and held against their heads and read models.

They are read in the order of streams: whatever the log's size, one stream is in memory, and a page.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from itertools import groupby
from operator import attrgetter
from typing import Any, assert_never

import asyncpg
from msgspec import Struct

from adapters.in_turns import in_turns
from domain.ids import StreamName
from projections.projection import Entity, Journal, Periods, category_of
from workers.audit.announced import Announced
from workers.audit.findings import Finding, Findings, Kind
from workers.audit.journals import Journals
from workers.audit.stream_fold import StreamFold
from workers.audit.stream_pages import Between, Page, StreamSource
from workers.audit.stream_rows import EntityRow, PeriodRows, Rows

POSITIONS = 10_000
"""Of the log, from which the streams are taken where only those that changed are folded."""
REMEMBERED = 300_000
"""Streams that are not folded again when they come again. What is forgotten is folded once more."""


class Folded(Struct, kw_only=True):
    """What came of folding some streams, or all, beside what was found wrong."""

    streams: int = 0
    unfolded: int = 0
    parked: dict[str, int] = {}
    """Read models, and of how many streams each says that it holds back what it has."""
    reached: dict[str, int] = {}
    """Read models, and up to which position each says that it has everything. One that says nothing is not there."""

    def add(self, other: "Folded") -> None:
        """Put to it what came of others."""
        self.streams += other.streams
        self.unfolded += other.unfolded
        self.parked |= {name: max(count, self.parked.get(name, 0)) for name, count in other.parked.items()}
        self.reached |= {name: min(position, self.reached.get(name, position)) for name, position in other.reached.items()}


class Folds:
    def __init__(self, source: StreamSource, said: Announced, findings: Findings) -> None:
        self._source = source
        self._said = said
        self._findings = findings
        self._fold: StreamFold | None = None
        self._journals = Journals(source, findings)
        self._of_category: dict[str, list[Entity[Any] | Periods]] = {}
        for of in source.served:
            match of:
                case Entity():
                    self._of_category.setdefault(of.category, []).append(of)
                case Periods():
                    for category in of.categories:
                        self._of_category.setdefault(category, []).append(of)
                case Journal():
                    pass  # event by event: `Journals`
                case _:
                    assert_never(of)
        self.folded = Folded()

    async def between(self, between: Between, progress: Callable[[int], None], only: Sequence[str] | None = None) -> int:
        """Fold these streams, and give how many events they had. `progress` is told of each page."""
        done = 0
        async with aclosing(self._source.pages(between, only)) as pages:
            async for page in pages:
                await self._page(page)
                done += len(page.events)
                progress(len(page.events))
        return done

    async def since(self, position: int, size: int, progress: Callable[[int], None]) -> None:
        """Fold those that something happened to behind that position."""
        folded: set[int] = set()
        for after in range(position, size, POSITIONS):
            touched = await self._source.touched(after, min(size, after + POSITIONS))
            await self.between(Between(), lambda _: None, sorted(stream for stream in touched if hash(stream) not in folded))
            if len(folded) > REMEMBERED:
                folded.clear()
            folded.update(map(hash, touched))
            progress(min(size, after + POSITIONS) - position)
        await self._journals.end()

    async def strays(self) -> None:
        """Look for what read models have of what there is not: no stream of theirs, no position of the log."""
        await self._journals.end()
        for of in self._source.served:
            for stream in await self._source.strays(of) if isinstance(of, Entity) else ():
                self._not_its_own(of.name, stream)

    async def _page(self, page: Page) -> None:
        self._misplaced(page)
        fed = page.feeds
        parked = {name: len(each.parked) for name, each in fed.items() if each.parked}
        self.folded.add(Folded(parked=parked, reached={name: each.everywhere for name, each in fed.items()}))
        seen: set[str] = {self._fold.stream} if self._fold is not None else set()
        at = 0
        async for events in in_turns(page.events):
            for stream, of_stream in groupby(events, key=attrgetter("stream")):
                if self._fold is None or stream != self._fold.stream:
                    self._finish(page.heads)
                    self._fold = self._begin(stream, page)
                    seen.add(stream)
                self._fold.take(list(of_stream))
            self._journals.look_at(page, slice(at, at + len(events)))
            at += len(events)
        if page.last is None:
            self._finish(page.heads)
        self._without_events(page, seen)

    def _without_events(self, page: Page, seen: set[str]) -> None:
        if self._said.detached:
            # Whatever has no events here may have them elsewhere, all of them.
            self.folded.unfolded += len(page.heads.keys() - seen)
            return
        made = {**{name: set(rows) for name, rows in page.rows.items()}, **{name: set(rows) for name, rows in page.periods.items()}}
        for name, streams in made.items():
            for stream in sorted(streams - seen):
                self._add(Kind.READ_MODEL_DIFFERS, f"what {name} has of {stream} is of a stream without events", stream, name)
        for stream in page.heads.keys() - seen:
            self._add(Kind.HEAD_DIFFERS, f"the head of {stream} is of a stream without events", stream)

    def _misplaced(self, page: Page) -> None:
        for model, stream in page.twice:
            if model is None:
                self._add(Kind.HEAD_DIFFERS, f"stream {stream} has several heads", stream)
            else:
                self._add(Kind.READ_MODEL_DIFFERS, f"{model} has several rows of {stream}", stream, model)
        for of in self._source.served:
            if isinstance(of, Periods):
                for stream in [each for each in page.periods[of.name] if category_of(each) not in of.categories]:
                    self._not_its_own(of.name, stream)

    def _begin(self, stream: StreamName, page: Page) -> StreamFold:
        self.folded.streams += 1
        rows: list[Rows] = []
        for of in self._of_category.get(category_of(stream), ()):
            fed = page.feeds.get(of.name)
            if fed is None or stream in fed.parked:
                continue
            if isinstance(of, Entity):
                rows.append(EntityRow(of, page.rows[of.name].get(stream), fed.position(stream)))
            else:
                rows.append(PeriodRows(of, page.periods[of.name].get(stream, ()), fed.position(stream)))
        return StreamFold(stream, rows, self._findings, self._said)

    def _finish(self, heads: Mapping[str, asyncpg.Record]) -> None:
        if self._fold is not None:
            self._fold.end(heads.get(self._fold.stream))
            self.folded.unfolded += not self._fold.foldable
        self._fold = None

    def _not_its_own(self, model: str, stream: str) -> None:
        self._add(Kind.READ_MODEL_DIFFERS, f"what {model} has of {stream} is of a stream that it has nothing of", stream, model)

    def _add(self, kind: Kind, words: str, stream: str, model: str | None = None) -> None:
        self._findings.add(Finding(kind=kind, words=words, stream=StreamName(stream), model=model))
