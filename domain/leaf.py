"""An event as the audit tree hashes it: one canonical JSON object that any language can make again (RFC 8785)."""

from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Raw, Struct

from domain.errors import LeafTooLarge
from domain.ids import CommandId, CorrelationId, EventId, SessionId, StreamName, SubjectKeyId

VERSION = 1
LONGEST = 65_535
"""Bytes of an entry: its length is written in two of them (C2SP tlog-tiles)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_encoder = msgspec.json.Encoder(order="sorted")


class Leaf(Struct, frozen=True, kw_only=True):
    """What is proved of an event. Its place is not among it: the tree binds that (index = position - 1)."""

    v: int = VERSION
    event_id: EventId
    stream: StreamName
    version: int
    type: str
    recorded_at: int
    """Microseconds since 1970, UTC."""
    actor: str
    session: SessionId | None
    command: CommandId
    correlation: CorrelationId
    causation: EventId | None
    key_id: SubjectKeyId | None
    payload: Raw
    """The canonical object as stored, sealed fields as ciphertext: embedded as it is, not as a text."""


def micros(at: datetime) -> int:
    """Give a time as whole microseconds since 1970, exactly. Raises TypeError for a time without a zone."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def encode_leaf(leaf: Leaf) -> bytes:
    """Give the exact bytes that are hashed. Raises LeafTooLarge past LONGEST."""
    encoded = _encoder.encode(leaf)
    if len(encoded) > LONGEST:
        raise LeafTooLarge(leaf.event_id, len(encoded))
    return encoded
