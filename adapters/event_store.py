"""The event store over PostgreSQL: commands.ports.EventStore with natural batching of appends and reads."""

from collections.abc import Callable, Sequence
from enum import Enum
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from asyncpg import Record

from adapters.batching import Batcher
from adapters.event_store_columns import check, columns, keys, stored_event, stored_head
from adapters.lone_append import LoneAppend, LoneAppends, appended
from adapters.postgres import Link, StatementRefused
from adapters.postgres_sql import statements
from adapters.store_metrics import Flushed, NoMetrics, StoreMetrics
from commands.ports import KEYS_PER_ACTOR, Appended, ClaimMac, Commit, Heads, Holding, StoredEvent
from domain.errors import IdempotencyKeysExhausted, StoreUnavailable
from domain.ids import StreamName

SQL = statements(Path(__file__).with_suffix(".sql"))
BATCH = 64
CROWD = 24
"""So many commits waiting are worth a second append beside the one under way: in two small ones each takes PostgreSQL a seventh longer."""


class _Alone(Enum):
    """Not decided in the batch: go again, alone."""

    BUSY = "busy"
    UNKNOWN = "unknown"
    APART = "apart"


class _Holders(NamedTuple):
    """Whom one caller looks for, and which heads with them."""

    candidates: Sequence[ClaimMac]
    categories: Sequence[str]
    also: Sequence[StreamName]


class PostgresEventStore:
    """Streams, heads, claims and idempotency keys in one database. Opens its connections when first needed.

    An append is flushed with others over two connections; a commit whose heads were locked by another process, or whose
    connection broke, goes again alone and is answered truthfully when Postgres is back within the deadline.
    """

    def __init__(
        self, url: str, *, prepared: bool = True, append_lanes: int = 2, load_lanes: int = 1, metrics: StoreMetrics | None = None
    ) -> None:
        def link() -> Link:
            return Link(url, prepared=prepared)

        self._metrics: StoreMetrics = NoMetrics() if metrics is None else metrics
        self._append_links = [link() for _ in range(append_lanes)]
        self._load_links = [link() for _ in range(load_lanes)]
        self._find_link, self._outcome_link, self._read_link = link(), link(), link()
        self._alone = LoneAppends([link(), link()], SQL)
        self._appends: Batcher[Commit, Appended | _Alone] = Batcher(
            self._flush_appends, lanes=append_lanes, crowd=CROWD, limit=BATCH, keys=keys
        )
        self._lone: Batcher[LoneAppend, Appended] = Batcher(self._flush_lone, lanes=2, limit=1)
        self._loads: Batcher[Sequence[StreamName], Heads] = Batcher(self._flush_loads, lanes=load_lanes, limit=BATCH)
        self._holders: Batcher[_Holders, Holding] = Batcher(self._flush_holders, limit=BATCH)
        self._outcomes: Batcher[tuple[bytes, str | None], Record] = Batcher(self._flush_outcomes, limit=BATCH)
        self._reads: Batcher[tuple[str, tuple[object, ...]], Sequence[Record]] = Batcher(self._flush_reads, limit=1)

    async def load(self, streams: Sequence[StreamName]) -> Heads:
        """Read heads as they are now: nothing committed before this call is missed. Raise ValueError for no streams."""
        if not streams:
            raise ValueError("load needs at least one stream")
        return await self._loads.submit(streams)

    async def append(self, commit: Commit) -> Appended:
        """Raise ValueError for a commit that names a stream twice or holds more than 32,768 bytes in one payload."""
        check(commit)
        began = perf_counter()
        outcome = await self._appends.submit(commit)
        if isinstance(outcome, _Alone):
            self._metrics.retried(outcome.value)
            outcome = await self._lone.submit(LoneAppend(commit, unknown=outcome is _Alone.UNKNOWN))
        self._metrics.appended(outcome.result, perf_counter() - began)
        return outcome

    async def read_stream(self, stream: StreamName, after_version: int = 0) -> Sequence[StoredEvent]:
        return [stored_event(row) for row in await self._reads.submit((SQL["read_stream"], (stream, after_version, None)))]

    async def find_holder(
        self, candidates: Sequence[ClaimMac], *, categories: Sequence[str] = (), also: Sequence[StreamName] = ()
    ) -> Holding:
        """Raise ValueError for no candidates."""
        if not candidates:
            raise ValueError("find_holder needs at least one candidate")
        return await self._holders.submit(_Holders(candidates, categories, also))

    async def names_of(self, claims: Sequence[StreamName]) -> Sequence[tuple[ClaimMac, StreamName]]:
        rows = await self._reads.submit((SQL["names_of"], (claims,)))
        return [(ClaimMac(row["index_version"], row["mac"]), StreamName(row["stream"])) for row in rows]

    async def find_outcome(self, key: bytes, *, capped: str | None = None) -> tuple[bytes, bytes] | None:
        digest, outcome, exhausted = await self._outcomes.submit((key, capped))
        if exhausted:
            raise IdempotencyKeysExhausted
        return None if digest is None else (digest, outcome)

    async def close(self) -> None:
        """Answer what is queued, then let the connections go."""
        for batcher in (self._appends, self._lone, self._loads, self._holders, self._outcomes, self._reads):
            await batcher.close()
        await self._alone.close()
        for link in (*self._append_links, *self._load_links, self._find_link, self._outcome_link, self._read_link):
            await link.close()

    async def _flush_appends(self, lane: int, commits: Sequence[Commit]) -> Sequence[Appended | _Alone]:
        link = self._append_links[lane]
        await link.ready()
        done = self._timed("append", len(commits))
        try:
            rows = await link.fetch(SQL["append"], *columns(commits, wait=False))
        except StoreUnavailable:
            return [_Alone.UNKNOWN] * len(commits)
        except StatementRefused:
            if len(commits) == 1:
                raise
            return [_Alone.APART] * len(commits)
        done()
        return [appended(row) or _Alone.BUSY for row in rows]

    async def _flush_lone(self, lane: int, appends: Sequence[LoneAppend]) -> Sequence[Appended]:
        done = self._timed("alone", len(appends))
        results = [await self._alone.append(lane, append) for append in appends]
        done()
        return results

    async def _flush_loads(self, lane: int, requests: Sequence[Sequence[StreamName]]) -> Sequence[Heads]:
        streams = list(dict.fromkeys(stream for request in requests for stream in request))
        done = self._timed("load", len(requests))
        rows = await self._load_links[lane].read(SQL["load_heads"], streams)
        done()
        heads = {stream: stored_head(stream, row) for stream, row in zip(streams, rows, strict=True)}
        at = rows[0][3]  # one clock for all
        return [Heads(heads=tuple(heads[stream] for stream in request), at=at) for request in requests]

    async def _flush_holders(self, _: int, requests: Sequence[_Holders]) -> Sequence[Holding]:
        names = [(number, claim.index_version, claim.mac) for number, of in enumerate(requests) for claim in of.candidates]
        streams = [(number, category) for number, of in enumerate(requests) for category in of.categories]
        others = [(number, stream) for number, of in enumerate(requests) for stream in of.also]
        done = self._timed("holders", len(requests))
        rows = await self._find_link.read(SQL["find_holders"], *_turned(names, 3), *_turned(streams, 2), *_turned(others, 2))
        done()
        of_request = (list(of) for _, of in groupby(rows, key=itemgetter(4)))
        return [
            Holding(holder=of[0][5], heads=tuple(stored_head(row[6], row) for row in of if row[6] is not None), at=of[0][3])
            for of in of_request
        ]

    async def _flush_outcomes(self, _: int, wanted: Sequence[tuple[bytes, str | None]]) -> Sequence[Record]:
        done = self._timed("outcomes", len(wanted))
        rows = await self._outcome_link.read(SQL["find_outcomes"], *zip(*wanted, strict=True), KEYS_PER_ACTOR)
        done()
        return rows

    async def _flush_reads(self, _: int, wanted: Sequence[tuple[str, tuple[object, ...]]]) -> Sequence[Sequence[Record]]:
        return [await self._read_link.read(statement, *values) for statement, values in wanted]

    def _timed(self, kind: Flushed, size: int) -> Callable[[], None]:
        began = perf_counter()
        return lambda: self._metrics.flushed(kind, size, perf_counter() - began)


def _turned(rows: Sequence[tuple[object, ...]], width: int) -> Sequence[Sequence[object]]:
    """Give rows as columns, also where there are none."""
    return [[row[n] for row in rows] for n in range(width)]
