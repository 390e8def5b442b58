"""Events of the log as the folds take them, or why one cannot be read."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import asyncpg
import msgspec

from commands.ports import StoredEvent
from domain.codec import decode_event
from domain.errors import UnknownEventTag
from domain.event import Pruned, Recorded
from domain.ids import StreamName
from projections.recorded import from_log


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An event whose bytes this code cannot make sense of. `newer` when its tag is unknown: a newer program wrote it."""

    position: int | None
    stream: StreamName
    version: int
    recorded_at: datetime
    reason: str
    newer: bool


Read: TypeAlias = Recorded[Any] | Pruned | Unreadable


def decoded(stored: StoredEvent) -> Read:
    if stored.pruned:
        return Pruned(position=stored.position, stream=stored.stream, version=stored.version, recorded_at=stored.recorded_at)
    try:
        event = decode_event(stored.type, stored.payload)
    except (UnknownEventTag, msgspec.MsgspecError) as error:
        return _unreadable(stored.position, stored.stream, stored.version, stored.recorded_at, error)
    return Recorded(
        position=stored.position,
        stream=stored.stream,
        version=stored.version,
        event_id=stored.event_id,
        recorded_at=stored.recorded_at,
        actor=stored.actor,
        session_id=stored.session_id,
        command_id=stored.command_id,
        correlation_id=stored.correlation_id,
        causation_id=stored.causation_id,
        event=event,
    )


def read_record(record: asyncpg.Record) -> Read:
    """The same from a row with the log's columns."""
    try:
        return from_log(record)
    except (UnknownEventTag, msgspec.MsgspecError) as error:
        return _unreadable(record["position"], record["stream"], record["version"], record["recorded_at"], error)


def read_columns(columns: Iterable[Any]) -> Read:
    """The same from those columns alone, in the order of `Recorded` with the type before the event id: a row taken apart at once."""
    position, stream, version, kind, event_id, recorded_at, actor, session, command, correlation, causation, payload = columns
    if not payload:
        return Pruned(position=position, stream=stream, version=version, recorded_at=recorded_at)
    try:
        event = decode_event(kind, payload)
    except (UnknownEventTag, msgspec.MsgspecError) as error:
        return _unreadable(position, stream, version, recorded_at, error)
    return Recorded(
        position=position,
        stream=stream,
        version=version,
        event_id=event_id,
        recorded_at=recorded_at,
        actor=actor,
        session_id=session,
        command_id=command,
        correlation_id=correlation,
        causation_id=causation,
        event=event,
    )


def _unreadable(position: int | None, stream: StreamName, version: int, recorded_at: datetime, error: Exception) -> Unreadable:
    newer = isinstance(error, UnknownEventTag)
    # Of a broken payload only the kind of fault is told: its text could quote what is in it.
    return Unreadable(position, stream, version, recorded_at, str(error) if newer else type(error).__name__, newer)
