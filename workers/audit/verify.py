"""The whole of `minos audit verify`: what to read, in which order, and what came of it."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from time import monotonic

import msgspec
from msgspec import Struct

from adapters import published
from adapters.checkpoint_key import LogName
from adapters.cycles import no_search_for_cycles
from adapters.second_place import SecondPlace
from domain import log
from domain.errors import UnknownEventTag
from domain.tree.nodes import TILE_WIDTH
from workers.audit.announced import Announced
from workers.audit.beyond import check_beyond
from workers.audit.claims import check_claims
from workers.audit.findings import Finding, Findings, Kind
from workers.audit.folds import Folded, Folds
from workers.audit.held_back import HeldBack
from workers.audit.judging import SECOND_PLACE, Judge, Signed
from workers.audit.lanes import Lanes
from workers.audit.published import Published
from workers.audit.reading import LogSource
from workers.audit.stream_pages import StreamSource
from workers.audit.walk import Walk

_ALL = 2**62


class Asked(Struct, frozen=True, kw_only=True):
    """What is to be checked, and against what."""

    url: str
    names: Sequence[LogName] = ()
    """The log's name and key as known from elsewhere; the database's own where none is given."""
    second_place: SecondPlace | None = None
    kept: Sequence[tuple[str, int, str]] = ()
    """Checkpoints kept from earlier: a name, the epoch, the note."""
    since: int = 0
    """The size of one of those: entries up to there are not looked at again, but for the tile they end in."""
    is_copy: bool = False
    """A copy may be older than what was published meanwhile."""
    read_models: bool = True
    """Fold streams anew, and compare heads, read models and the index of names with that; the index only where all is folded."""
    processes: int = 1
    """That fold, where there are more streams than `streams_at_once`."""
    streams_at_once: int = 10_000


class Advance(Struct, frozen=True, kw_only=True):
    """How far it is: `done` of `total` events of this stage."""

    stage: str
    done: int
    total: int
    per_second: float


class Report(Struct, frozen=True, kw_only=True):
    """What was checked, and what is wrong. `remarks` are no faults: what is to be known all the same."""

    epoch: int
    size: int
    root: str
    since: int
    """Entries up to there were not looked at again."""
    published: int
    """Entries behind this size are in no checkpoint yet."""
    hashes_only: int
    checkpoints: int
    streams: int
    findings: Sequence[Finding]
    counts: dict[Kind, int]
    remarks: Sequence[str]
    seconds: float
    per_second: float
    """Events, over everything."""


async def verify(asked: Asked, progress: Callable[[Advance], None] = lambda _: None) -> Report:
    """Walk through the log once in its order and once by streams. Raises what asyncpg does, PlaceAway, StoreUnavailable."""
    began = monotonic()
    findings = Findings()
    source = await LogSource.open(asked.url)
    try:
        with no_search_for_cycles():
            report = await _Check(asked, source, findings, progress).run()
    finally:
        await source.close()
    seconds = monotonic() - began
    return msgspec.structs.replace(
        report,
        findings=findings.kept,
        counts=dict(findings.counts),
        seconds=seconds,
        per_second=(report.size - report.since) / max(seconds, 0.001),
    )


async def _in_second_place(place: SecondPlace | None) -> Sequence[tuple[int, str]]:
    """Give what was kept there, by epoch. Raises PlaceAway."""
    if place is None:
        return ()
    found = [await published.of_epoch(place, epoch) for epoch in await published.epochs_of(place)]
    return [(each.epoch, each.note) for each in found if each is not None]


class _Check:
    def __init__(self, asked: Asked, source: LogSource, findings: Findings, progress: Callable[[Advance], None]) -> None:
        self._asked = asked
        self._source = source
        self._findings = findings
        self._progress = progress

    async def run(self) -> Report:
        # In this order: what was published is in the second place, and what is there is in the log, however both grow meanwhile.
        covered = await self._source.covered()
        kept_there = await _in_second_place(self._asked.second_place)
        size, epoch = await self._source.size()
        held_back = HeldBack(await self._announced(), self._announced, self._findings)
        await self._positions()
        await check_beyond(self._source, epoch, held_back.said, self._findings)
        judge = Judge(self._findings)
        signed, second = await self._published(epoch, covered, kept_there)
        walk = Walk(self._source, signed, judge, held_back, self._findings)
        first_tile = min(self._asked.since, size) // TILE_WIDTH
        root = await walk.through(size, first_tile=first_tile, covered=covered, progress=self._advance("entries", size))
        while (beyond := await signed.next_up_to(_ALL)) is not None:
            judge.beyond(beyond)
        if self._asked.second_place is not None and second < covered:
            words = f"checkpoints up to size {covered} were published, and the second place has none beyond {second}"
            self._findings.add(Finding(kind=Kind.SECOND_PLACE_BEHIND, words=words, size=second, epoch=epoch))
        remarks = [*judge.end(size, held_back.said.kept, tiled=covered // TILE_WIDTH * TILE_WIDTH, may_end_early=self._asked.is_copy)]
        streams = await self._folds(await self._announced(), size, remarks)
        if covered < size:
            remarks.append(f"positions {covered + 1} to {size} are in no published checkpoint yet")
        return Report(
            epoch=epoch, size=size, root=b64encode(root).decode(), since=first_tile * TILE_WIDTH, published=covered,
            hashes_only=held_back.count, checkpoints=judge.count, streams=streams, findings=(), counts={}, remarks=remarks,
            seconds=0, per_second=0,
        )  # fmt: skip

    async def _published(self, epoch: int, covered: int, kept_there: Sequence[tuple[int, str]]) -> tuple[Published, int]:
        """Give all checkpoints that are to be held against the log, and the size the second place has of this epoch."""
        signed = Signed(self._asked.names or await self._source.names(), self._findings)
        second = [held for of, note in kept_there if (held := signed.read(SECOND_PLACE, note, epoch=of)) is not None]
        own = [held for name, of, note in self._asked.kept if (held := signed.read(name, note, epoch=of)) is not None]
        others = [*second, *own]
        merged = Published(self._source, signed, epochs=epoch, after=self._asked.since, up_to=covered, others=others)
        return merged, max((held.size for held in second if held.epoch == epoch), default=0)

    async def _positions(self) -> None:
        for position in await self._source.broken_runs():
            words = f"positions are left out or given twice at {position}"
            self._findings.add(Finding(kind=Kind.POSITIONS_BROKEN, words=words, position=position))
        for stream, version in await self._source.never_sequenced(runs_on=not self._asked.is_copy):
            words = (
                f"version {version} of stream {stream} has no position and gets none: what follows from it follows from no entry of the log"
            )
            self._findings.add(Finding(kind=Kind.POSITIONS_BROKEN, words=words, stream=stream, version=version))

    async def _announced(self) -> Announced:
        try:
            return await self._source.announced()
        except (UnknownEventTag, msgspec.MsgspecError) as error:
            words = f"the stream log cannot be read: {type(error).__name__}"
            broken = Finding(kind=Kind.ENTRY_BROKEN, words=words, stream=log.STREAM)
            if broken not in self._findings.kept:
                self._findings.add(broken)
            return Announced((), (), ())

    async def _folds(self, said: Announced, size: int, remarks: list[str]) -> int:
        """Give how many streams were folded."""
        if not self._asked.read_models:
            return 0
        source = await StreamSource.open(self._asked.url)
        try:
            folded = await self._folded(source, said, size)
            served, unserved = [of.name for of in source.served], source.unserved
        finally:
            await source.close()
        if folded.unfolded:
            remarks.append(f"{folded.unfolded} streams could not be folded anew: part of them is not there, or cannot be read")
        remarks += [
            f"of {count} streams the read model {name} holds back what it has: it was not compared"
            for name, count in sorted(folded.parked.items())
        ]
        remarks += [
            f"the read model {name} says that it has come to position {position}: nothing was compared of what is behind that"
            for name in sorted(served)
            if (position := folded.reached.get(name, 0)) < size
        ]
        remarks += [f"the read model {name} is served by no table: it was not compared" for name in unserved]
        return folded.streams

    async def _folded(self, source: StreamSource, said: Announced, size: int) -> Folded:
        since = self._asked.since
        progress = self._advance("streams", size - since)
        if since:
            folds = Folds(source, said, self._findings)
            await folds.since(since, size, progress)
            return folds.folded
        lanes = Lanes(self._asked.url, said, progress)
        folded = await lanes.all(source, self._findings, processes=self._asked.processes, streams=self._asked.streams_at_once)
        await check_claims(self._asked.url, self._findings)
        return folded

    def _advance(self, stage: str, total: int) -> Callable[[int], None]:
        began = monotonic()

        def advance(done: int) -> None:
            self._progress(Advance(stage=stage, done=min(done, total), total=total, per_second=done / max(monotonic() - began, 0.001)))

        return advance
