"""The shape every event has, and the envelope the log puts around it."""

from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from msgspec import Struct

from domain.ids import CommandId, CorrelationId, EventId, SessionId, StreamName, SubjectKeyId


class Event(Struct, frozen=True, kw_only=True, tag_field="type"):
    """Something that happened. Subclasses set their tag by hand: `aggregate.what_happened.vN`.

    The JSON of an event, keys sorted, is what the log stores and what leaves hash: a tag's bytes never change
    (`tests/golden`). All `Sealed` fields of one event are sealed under one key.
    """

    at: datetime
    """When it was decided, by the database's clock, UTC."""


class Sealed(Struct, frozen=True, array_like=True):
    """Personal data as the log may hold it: AES-256-GCM under a key of the subject's own (12-byte nonce first).

    Bound to the stream and the field it was sealed for. Once its key is destroyed it opens to `Erased`.
    """

    key_id: SubjectKeyId
    box: bytes


class Erased(Struct, frozen=True):
    """What a `Sealed` opens to when its key is gone."""


class SealClass(StrEnum):
    """What a subject's key protects; each class can be destroyed apart (audit.md, Erasure)."""

    PROFILE = "profile"
    TELEMETRY = "telemetry"
    CREDENTIAL = "credential"


E = TypeVar("E", bound=Event, covariant=True)


class Recorded(Struct, Generic[E], frozen=True, kw_only=True):
    """An event with what the log knows of it. `position` is None until the sequencer has given one."""

    position: int | None
    stream: StreamName
    version: int
    event_id: EventId
    recorded_at: datetime
    actor: str
    session_id: SessionId | None
    command_id: CommandId
    correlation_id: CorrelationId
    causation_id: EventId | None
    event: E


class Pruned(Struct, frozen=True, kw_only=True):
    """An event whose payload has gone, its time being over (`domain/retention.py`): it moves the version and changes nothing."""

    position: int | None
    stream: StreamName
    version: int
    recorded_at: datetime
