"""Rows of the log as decoded events."""

import asyncpg

from domain.codec import AnyEvent, decode_event
from domain.event import Pruned, Recorded


def from_log(record: asyncpg.Record) -> Recorded[AnyEvent] | Pruned:
    """Decode one row that has the log's columns; `position` may be missing. Raises UnknownEventTag."""
    if not record["payload"]:
        stream, version = record["stream"], record["version"]
        return Pruned(position=record.get("position"), stream=stream, version=version, recorded_at=record["recorded_at"])
    return Recorded(
        position=record.get("position"),
        stream=record["stream"],
        version=record["version"],
        event_id=record["event_id"],
        recorded_at=record["recorded_at"],
        actor=record["actor"],
        session_id=record["session_id"],
        command_id=record["command_id"],
        correlation_id=record["correlation_id"],
        causation_id=record["causation_id"],
        event=decode_event(record["type"], record["payload"]),
    )
