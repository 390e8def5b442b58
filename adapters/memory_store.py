"""The event store in memory, under the same contract suite as the one over PostgreSQL: for tests of commands and readers.

Each append runs without an await, so it is whole by itself. Positions are given at once.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from msgspec.structs import astuple

from adapters.event_store_columns import check
from commands.ports import (
    KEYS_PER_ACTOR,
    Appended,
    AppendResult,
    ClaimMac,
    Commit,
    Heads,
    Holding,
    StoredEvent,
    StoredHead,
    StreamWrite,
)
from domain.errors import IdempotencyKeysExhausted
from domain.ids import StreamName

NOBODY = UUID(int=0)


def wall_clock() -> datetime:
    return datetime.now(UTC)


class MemoryEventStore:
    """Streams, heads, claims and idempotency keys of one process. `clock` gives the time heads are read and events written."""

    def __init__(self, clock: Callable[[], datetime] = wall_clock) -> None:
        self.clock = clock
        self._log: list[StoredEvent] = []
        self._streams: dict[StreamName, list[StoredEvent]] = {}
        self._heads: dict[StreamName, StoredHead] = {}
        self._claims: dict[ClaimMac, tuple[StreamName, UUID]] = {}
        self._outcomes: dict[bytes, tuple[bytes, bytes]] = {}
        self._kept_of: Counter[str] = Counter()

    @property
    def log(self) -> Sequence[StoredEvent]:
        """Everything that happened, in position order."""
        return tuple(self._log)

    async def load(self, streams: Sequence[StreamName]) -> Heads:
        if not streams:
            raise ValueError("load needs at least one stream")
        return Heads(heads=tuple(self._head(stream) for stream in streams), at=self.clock())

    async def append(self, commit: Commit) -> Appended:
        check(commit)
        if (kept := commit.idempotency) is not None and (known := self._outcomes.get(kept.key)) is not None:
            digest, outcome = known
            if digest != kept.digest:
                return Appended(result=AppendResult.KEY_CONFLICT)
            return Appended(result=AppendResult.REPLAYED, outcome=outcome)
        if any(self._head(write.stream).version != write.expected for write in commit.writes):
            return Appended(result=AppendResult.LOST_RACE)
        claims = self._claims_after(commit)
        if claims is None:
            return Appended(result=AppendResult.CLAIM_TAKEN)
        self._claims = dict(claims)
        if kept is not None:
            self._outcomes[kept.key] = (kept.digest, kept.outcome)
            self._kept_of[commit.actor] += 1
        for write in commit.writes:
            self._write(commit, write)
        return Appended(result=AppendResult.DONE)

    async def read_stream(self, stream: StreamName, after_version: int = 0) -> Sequence[StoredEvent]:
        return self._streams.get(stream, [])[max(after_version, 0) :]

    async def find_holder(
        self, candidates: Sequence[ClaimMac], *, categories: Sequence[str] = (), also: Sequence[StreamName] = ()
    ) -> Holding:
        if not candidates:
            raise ValueError("find_holder needs at least one candidate")
        holder = next((self._claims[claim][1] for claim in candidates if claim in self._claims), None)
        of = holder or next((self._claims[claim][1] for claim in sorted(self._claims, key=astuple)), NOBODY)
        streams = (*(StreamName(f"{category}-{of}") for category in categories), *also)
        heads = tuple(self._head(stream) for stream in streams)
        return Holding(holder=holder, heads=heads, at=self.clock())

    async def names_of(self, claims: Sequence[StreamName]) -> Sequence[tuple[ClaimMac, StreamName]]:
        return [(mac, stream) for mac, (stream, _) in self._claims.items() if stream in claims]

    async def find_outcome(self, key: bytes, *, capped: str | None = None) -> tuple[bytes, bytes] | None:
        known = self._outcomes.get(key)
        if known is None and capped is not None and self._kept_of[capped] >= KEYS_PER_ACTOR:
            raise IdempotencyKeysExhausted
        return known

    def _head(self, stream: StreamName) -> StoredHead:
        return self._heads.get(stream) or StoredHead(stream=stream, version=0, state=None, state_version=0)

    def _claims_after(self, commit: Commit) -> Mapping[ClaimMac, tuple[StreamName, UUID]] | None:
        claims = dict(self._claims)
        for change in commit.claims:
            if not change.take and change.claim in claims and claims[change.claim][0] == change.stream:
                del claims[change.claim]
        for change in commit.claims:
            if change.holder is not None and claims.setdefault(change.claim, (change.stream, change.holder))[0] != change.stream:
                return None
        return claims

    def _write(self, commit: Commit, write: StreamWrite) -> None:
        for version, event in enumerate(write.events, write.expected + 1):
            stored = StoredEvent(
                position=len(self._log) + 1,
                append_id=len(self._log) + 1,
                stream=write.stream,
                version=version,
                type=event.type,
                event_id=event.event_id,
                recorded_at=self.clock(),
                actor=commit.actor,
                session_id=commit.session_id,
                command_id=commit.command_id,
                correlation_id=commit.correlation_id,
                causation_id=commit.causation_id,
                key_id=event.key_id,
                payload=event.payload,
            )
            self._log.append(stored)
            self._streams.setdefault(write.stream, []).append(stored)
        if write.events:
            self._heads[write.stream] = StoredHead(
                stream=write.stream,
                version=write.expected + len(write.events),
                state=write.state,
                state_version=write.state_version,
            )
