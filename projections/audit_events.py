"""Who did what, when, on what: every event of the log, for auditors and support. It leaves nothing out."""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from domain.codec import EVENT_TYPES, tag_of
from domain.event import Recorded
from domain.ids import CommandId, CorrelationId, EventId, SessionId, StreamName, UserId
from projections.projection import Journal
from projections.reading import Page, ReadModels
from projections.sql import beside


class AuditRow(Struct, frozen=True, kw_only=True):
    position: int
    recorded_at: datetime
    at: datetime
    type: str
    stream: StreamName
    version: int
    event_id: EventId
    actor: str
    session_id: SessionId | None
    """The session it was done from."""
    user_id: UserId | None
    """The account it is about, where the event names one."""
    command_id: CommandId
    correlation_id: CorrelationId
    causation_id: EventId | None


def _row(recorded: Recorded[Any]) -> AuditRow:
    position = recorded.position
    if position is None:
        raise ValueError("a journal row needs the position of its event")
    return AuditRow(
        position=position,
        recorded_at=recorded.recorded_at,
        at=recorded.event.at,
        type=tag_of(recorded.event),
        stream=recorded.stream,
        version=recorded.version,
        event_id=recorded.event_id,
        actor=recorded.actor,
        session_id=recorded.session_id,
        user_id=getattr(recorded.event, "user_id", None),
        command_id=recorded.command_id,
        correlation_id=recorded.correlation_id,
        causation_id=recorded.causation_id,
    )


_SQL = beside(__file__)

audit_events: Journal[AuditRow] = Journal(
    "audit_events",
    1,
    AuditRow,
    dict.fromkeys(EVENT_TYPES.values(), _row),
    ignores=(),
    sql=_SQL,
    copies=("recorded_at", "stream", "version", "event_id", "actor", "session_id", "command_id", "correlation_id", "causation_id"),
)


class AuditFilter(Struct, frozen=True, kw_only=True):
    """All that are given must hold. Times are half-open: from `since` up to, not including, `until`."""

    actor: str | None = None
    type_prefix: str | None = None
    """A tag or the beginning of one at a dot: `session`, `session.started`, `session.started.v1`."""
    stream: StreamName | None = None
    user_id: UserId | None = None
    correlation_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


async def page(
    models: ReadModels, *, matching_all: AuditFilter | None = None, after: int | None = None, limit: int = 50
) -> Page[AuditRow, int]:
    """List events by what is asked of them, newest first. Raises StoreUnavailable."""
    wanted = matching_all or AuditFilter()
    return await models.page(
        audit_events,
        {
            "by_actor": wanted.actor,
            "of_type": wanted.type_prefix,
            "on_stream": wanted.stream,
            "about_user": wanted.user_id,
            "in_correlation": wanted.correlation_id,
            "since": wanted.since,
            "until": wanted.until,
            "after": after,
        },
        limit,
        lambda row: row.position,
    )
