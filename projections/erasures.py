"""Who asked to be erased, and when it is due; for administrators, and for what carries it out."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from domain.erasure import ErasureAsked, ErasureBegun, ErasurePostponed, ErasureWithdrawn
from domain.event import Recorded
from domain.ids import UserId
from projections.projection import Case, Entity, when
from projections.reading import Page, ReadModels
from projections.sql import beside


class ErasureStatus(StrEnum):
    ASKED = "asked"
    WITHDRAWN = "withdrawn"
    BEGUN = "begun"


class ErasureRow(Struct, frozen=True, kw_only=True):
    user_id: UserId
    status: ErasureStatus
    asked_at: datetime
    due_at: datetime
    ended_at: datetime | None
    """When it was withdrawn, or begun."""


def _asked(_: ErasureRow | None, recorded: Recorded[ErasureAsked]) -> ErasureRow:
    """Also once more, after it was withdrawn."""
    event = recorded.event
    return ErasureRow(user_id=event.user_id, status=ErasureStatus.ASKED, asked_at=event.at, due_at=event.due_at, ended_at=None)


def _postponed(row: ErasureRow, recorded: Recorded[ErasurePostponed]) -> ErasureRow:
    return replace(row, due_at=recorded.event.due_at)


def _withdrawn(row: ErasureRow, recorded: Recorded[ErasureWithdrawn]) -> ErasureRow:
    return replace(row, status=ErasureStatus.WITHDRAWN, ended_at=recorded.event.at)


def _begun(row: ErasureRow, recorded: Recorded[ErasureBegun]) -> ErasureRow:
    return replace(row, status=ErasureStatus.BEGUN, ended_at=recorded.event.at)


_SQL = beside(__file__)

erasures = Entity(
    "erasures",
    2,
    "erasure",
    ErasureRow,
    (Case(ErasureAsked, _asked), when(ErasurePostponed, _postponed), when(ErasureWithdrawn, _withdrawn), when(ErasureBegun, _begun)),
    ignores=(),
    sql=_SQL,
)


async def page(models: ReadModels, *, status: ErasureStatus, after: UserId | None = None, limit: int = 50) -> Page[ErasureRow, UserId]:
    """List who asked to be erased, newest accounts first. Raises StoreUnavailable."""
    return await models.page(erasures, {"with_status": status, "after": after}, limit, lambda row: row.user_id)


async def due(models: ReadModels, limit: int) -> Sequence[UserId]:
    """Give accounts whose wait is over, the longest first."""
    return [UserId(record["user_id"]) for record in await models.fetch(erasures, _SQL["due"], limit)]
