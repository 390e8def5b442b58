"""Who is to be erased, and how far that is; for administrators, and for what carries it out."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from domain.erasure import REMINDERS, remind_at
from domain.erasure_events import (
    ErasureAcknowledged,
    ErasureAsked,
    ErasureBegun,
    ErasureCompleted,
    ErasureNamesReleased,
    ErasurePostponed,
    ErasureReminded,
    ErasureWithdrawn,
)
from domain.event import Recorded
from domain.ids import AudienceName, UserId
from domain.user_events import AskedBy
from projections.projection import Case, Entity, when
from projections.reading import Page, ReadModels
from projections.sql import beside


class ErasureStatus(StrEnum):
    ASKED = "asked"
    WITHDRAWN = "withdrawn"
    BEGUN = "begun"
    """What is sealed of the person is being destroyed."""
    COMPLETED = "completed"


class ErasureRow(Struct, frozen=True, kw_only=True):
    user_id: UserId
    status: ErasureStatus
    asked_by: AskedBy
    asked_at: datetime
    due_at: datetime
    ended_at: datetime | None
    """When it was withdrawn, begun, or completed."""
    names_until: datetime | None
    """Until when its names are nobody's; null where they are free."""
    told: tuple[AudienceName, ...]
    """Whose services are to acknowledge it."""
    acknowledged: tuple[AudienceName, ...]
    remind_at: datetime | None
    """When those that have not are told again."""


def _asked(row: ErasureRow | None, recorded: Recorded[ErasureAsked]) -> ErasureRow:
    """Also once more, after it was withdrawn, or by whose it is after others."""
    event = recorded.event
    asked_at = row.asked_at if row is not None and row.status is ErasureStatus.ASKED else event.at
    return _row(event.user_id, event.asked_by, asked_at=asked_at, due_at=event.due_at)


def _row(user_id: UserId, asked_by: AskedBy, *, asked_at: datetime, due_at: datetime) -> ErasureRow:
    return ErasureRow(
        user_id=user_id,
        status=ErasureStatus.ASKED,
        asked_by=asked_by,
        asked_at=asked_at,
        due_at=due_at,
        ended_at=None,
        names_until=None,
        told=(),
        acknowledged=(),
        remind_at=None,
    )


def _postponed(row: ErasureRow, recorded: Recorded[ErasurePostponed]) -> ErasureRow:
    return replace(row, due_at=recorded.event.due_at)


def _withdrawn(row: ErasureRow, recorded: Recorded[ErasureWithdrawn]) -> ErasureRow:
    return replace(row, status=ErasureStatus.WITHDRAWN, ended_at=recorded.event.at)


def _begun(row: ErasureRow | None, recorded: Recorded[ErasureBegun]) -> ErasureRow:
    """Nobody asked here for what had been done before."""
    event = recorded.event
    if row is None:
        row = _row(event.user_id, event.again or AskedBy.OWN_REQUEST, asked_at=event.at, due_at=event.at)
    return replace(row, status=ErasureStatus.BEGUN, asked_by=event.again or row.asked_by, ended_at=event.at)


def _completed(row: ErasureRow, recorded: Recorded[ErasureCompleted]) -> ErasureRow:
    event = recorded.event
    return replace(
        row,
        status=ErasureStatus.COMPLETED,
        ended_at=event.at,
        names_until=event.names_until,
        told=event.told,
        remind_at=remind_at(event.at, 0) if event.told else None,
    )


def _names_released(row: ErasureRow, _: Recorded[ErasureNamesReleased]) -> ErasureRow:
    return replace(row, names_until=None)


def _reminded(row: ErasureRow, recorded: Recorded[ErasureReminded]) -> ErasureRow:
    number = recorded.event.number
    return replace(row, remind_at=remind_at(recorded.event.at, number) if number < REMINDERS else None)


def _acknowledged(row: ErasureRow, recorded: Recorded[ErasureAcknowledged]) -> ErasureRow:
    acknowledged = (*row.acknowledged, recorded.event.audience)
    return replace(row, acknowledged=acknowledged, remind_at=None if set(row.told) <= set(acknowledged) else row.remind_at)


_SQL = beside(__file__)

erasures = Entity(
    "erasures",
    3,
    "erasure",
    ErasureRow,
    (
        Case(ErasureAsked, _asked),
        when(ErasurePostponed, _postponed),
        when(ErasureWithdrawn, _withdrawn),
        Case(ErasureBegun, _begun),
        when(ErasureCompleted, _completed),
        when(ErasureNamesReleased, _names_released),
        when(ErasureReminded, _reminded),
        when(ErasureAcknowledged, _acknowledged),
    ),
    ignores=(),
    sql=_SQL,
)


async def page(models: ReadModels, *, status: ErasureStatus, after: UserId | None = None, limit: int = 50) -> Page[ErasureRow, UserId]:
    """List who is to be erased, newest accounts first. Raises StoreUnavailable."""
    return await models.page(erasures, {"with_status": status, "after": after}, limit, lambda row: row.user_id)


async def unacknowledged(
    models: ReadModels, audience: AudienceName, *, after: UserId | None = None, limit: int = 50
) -> Page[ErasureRow, UserId]:
    """List completed ones that an audience is to acknowledge and has not, newest accounts first. Raises StoreUnavailable."""
    wanted = {"with_status": ErasureStatus.COMPLETED, "awaiting": audience, "after": after}
    return await models.page(erasures, wanted, limit, lambda row: row.user_id)


async def due(models: ReadModels, limit: int) -> Sequence[UserId]:
    """Give accounts whose wait is over, the longest first."""
    return await _ids(models, "due", limit)


async def unfinished(models: ReadModels, limit: int) -> Sequence[UserId]:
    """Give accounts whose erasure has begun and is not completed, the longest first."""
    return await _ids(models, "unfinished", limit)


async def past_barring(models: ReadModels, limit: int) -> Sequence[UserId]:
    """Give erased accounts whose names have been kept long enough, the longest first."""
    return await _ids(models, "past_barring", limit)


async def unheard(models: ReadModels, limit: int) -> Sequence[UserId]:
    """Give erased accounts of which services are to be told again, the longest first."""
    return await _ids(models, "unheard", limit)


class Late(NamedTuple):
    """Erasures that do not come to an end, and keys there are of people who were erased."""

    unfinished: int
    keys: int


async def late(models: ReadModels, seconds: int) -> Late:
    """Count those that began longer ago. Raises StoreUnavailable."""
    (record,) = await models.fetch(erasures, _SQL["late"], seconds)
    return Late(unfinished=record["unfinished"], keys=record["keys"])


async def _ids(models: ReadModels, statement: str, limit: int) -> Sequence[UserId]:
    return [UserId(record["user_id"]) for record in await models.fetch(erasures, _SQL[statement], limit)]
