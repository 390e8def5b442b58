"""The event store as commands see it: heads, one way to append, streams, claims and idempotency keys."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable
from uuid import UUID

from msgspec import Struct

from domain.ids import CommandId, CorrelationId, EventId, SessionId, StreamName, SubjectKeyId

KEYS_PER_ACTOR = 1_000
"""Idempotency keys of one principal that may be kept at a time (threats.md 4)."""


class StoredHead(Struct, frozen=True, kw_only=True):
    """A stream as its head has it: version 0 and no state when nothing was ever appended."""

    stream: StreamName
    version: int
    state: bytes | None
    state_version: int


class Heads(Struct, frozen=True, kw_only=True):
    """Heads in the order asked for, and the database's clock when they were read."""

    heads: tuple[StoredHead, ...]
    at: datetime


class Holding(Struct, frozen=True, kw_only=True):
    """Whom a name leads to, and what was read in the same moment."""

    holder: UUID | None
    """None where the name is free."""
    heads: tuple[StoredHead, ...]
    """Of the holder, one of each category asked for; then of the other streams asked for. Where the name is free, the holder's are of
    somebody else: it costs the same and is worth nothing."""
    at: datetime


class NewEvent(Struct, frozen=True, kw_only=True):
    event_id: EventId
    type: str
    payload: bytes
    key_id: SubjectKeyId | None


class StoredEvent(Struct, frozen=True, kw_only=True):
    """One row of the log. `position` is None until sequenced. No event is written without a payload: an empty one was pruned."""

    position: int | None
    append_id: int
    stream: StreamName
    version: int
    type: str
    event_id: EventId
    recorded_at: datetime
    actor: str
    session_id: SessionId | None
    command_id: CommandId
    correlation_id: CorrelationId
    causation_id: EventId | None
    key_id: SubjectKeyId | None
    payload: bytes

    @property
    def pruned(self) -> bool:
        """What it said has gone, its time being over; that it was, and its hash in the tree, stay."""
        return not self.payload


class StreamWrite(Struct, frozen=True, kw_only=True):
    """Events for one stream, with the state they fold to. `expected` is the version the decision was made on.

    With no events it is a condition only: the commit passes only if the stream is still at `expected`.
    """

    stream: StreamName
    expected: int
    events: tuple[NewEvent, ...]
    state: bytes
    state_version: int


class ClaimMac(Struct, frozen=True):
    """A keyed HMAC of a normalised address or name, under one version of the index key."""

    index_version: int
    mac: bytes


class ClaimChange(Struct, frozen=True, kw_only=True):
    """Take a name for a claim stream and its holder, or give it up. Part of the append: all or nothing."""

    claim: ClaimMac
    stream: StreamName
    take: bool
    holder: UUID | None
    """None only where it is given up."""


class IdempotencyKey(Struct, frozen=True, kw_only=True):
    """`key`: HMAC of principal, method, route and the client's key. `digest`: HMAC of the body without secrets.
    `outcome`: what to answer a repeat with, ids and versions only (threats.md 4)."""

    key: bytes
    digest: bytes
    outcome: bytes


class Commit(Struct, frozen=True, kw_only=True):
    """One command's whole effect."""

    command_id: CommandId
    actor: str
    session_id: SessionId | None
    correlation_id: CorrelationId
    causation_id: EventId | None
    writes: tuple[StreamWrite, ...]
    claims: tuple[ClaimChange, ...] = ()
    idempotency: IdempotencyKey | None = None


class AppendResult(StrEnum):
    DONE = "done"
    LOST_RACE = "lost_race"
    """A stream is not at the expected version: load again, decide again."""
    CLAIM_TAKEN = "claim_taken"
    REPLAYED = "replayed"
    """The idempotency key is known with the same digest; `outcome` is the first answer's."""
    KEY_CONFLICT = "key_conflict"
    """The idempotency key is known with another digest."""


class Appended(Struct, frozen=True, kw_only=True):
    result: AppendResult
    outcome: bytes | None = None


@runtime_checkable
class EventStore(Protocol):
    """Streams, their heads, and the one way to change them.

    `append` has happened, durably and whole, when it returns DONE; on any other result nothing has. Appends for
    different streams never wait for one another. Raises StoreUnavailable when it cannot know.
    """

    async def load(self, streams: Sequence[StreamName]) -> Heads: ...
    async def append(self, commit: Commit) -> Appended: ...
    async def read_stream(self, stream: StreamName, after_version: int = 0) -> Sequence[StoredEvent]: ...
    async def find_holder(
        self, candidates: Sequence[ClaimMac], *, categories: Sequence[str] = (), also: Sequence[StreamName] = ()
    ) -> Holding:
        """Find who holds the first of these names that is held, with the heads of their streams `<category>-<holder>`, as `load` would.

        The heads of the streams in `also`, whoever it is, come after those, read in the same moment.
        """
        ...

    async def names_of(self, claims: Sequence[StreamName]) -> Sequence[tuple[ClaimMac, StreamName]]:
        """Give the rows by which these claims are found, under every index key: also of a name that nobody can spell any more."""
        ...

    async def find_outcome(self, key: bytes, *, capped: str | None = None) -> tuple[bytes, bytes] | None:
        """Give (digest, outcome) of a known idempotency key.

        Raises IdempotencyKeysExhausted for a new one where the actor `capped` has KEYS_PER_ACTOR already. Requests that
        were let through together may pass the cap together: it bounds what is kept, nothing is decided on it.
        """
        ...
