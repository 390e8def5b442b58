"""Sessions of all accounts, found by what is asked of them and shown as their streams are now."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from domain import user
from domain.ids import AudienceName, ClientId, SessionId, UserId
from domain.session import stream
from domain.suspicion import Review
from projections import users
from projections.completion import completed_many
from projections.reading import ReadModels, matching
from projections.session_lists import SessionPage, SessionStatus, SessionView, clock, view
from projections.sessions import SessionRow, sessions


class SessionFilter(Struct, frozen=True, kw_only=True):
    """All that are given must hold. Times are half-open: from `created_after` up to, not including, `created_before`."""

    user_id: UserId | None = None
    audience: AudienceName | None = None
    client_id: ClientId | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    suspicious: bool | None = None


async def live(models: ReadModels, wanted: SessionFilter, *, after: SessionId | None, limit: int) -> SessionPage:
    """List live sessions, those that began first first. Raises StoreUnavailable. A page may hold fewer and not be the last."""
    conditions, values = matching(
        sessions.sql,
        {
            "by_user": wanted.user_id,
            "for_audience": wanted.audience,
            "of_client": wanted.client_id,
            "since": wanted.created_after,
            "until": wanted.created_before,
            "is_suspicious": wanted.suspicious,
            "past": after,
        },
    )
    rows, fresh = await models.rows(sessions, "candidates", conditions, [*values, limit + 1])
    views = [each for each in await _as_they_are(models, rows[:limit]) if each.status is SessionStatus.ACTIVE]
    return SessionPage(rows=views, next_after=rows[limit - 1].session_id if len(rows) > limit else None, freshness=fresh)


async def suspicious(models: ReadModels, *, review: Review, after: SessionId | None, limit: int) -> SessionPage:
    """List suspicious sessions that have been looked into so far, newest first; one that was looked into further is left out.

    Raises StoreUnavailable.
    """
    conditions, values = matching(sessions.sql, {"in_review": review, "before": after})
    rows, fresh = await models.rows(sessions, "suspicious", conditions, [*values, limit + 1])
    views = [each for each in await _as_they_are(models, rows[:limit]) if each.session.review is review]
    return SessionPage(rows=views, next_after=rows[limit - 1].session_id if len(rows) > limit else None, freshness=fresh)


async def _as_they_are(models: ReadModels, rows: Sequence[SessionRow]) -> list[SessionView]:
    """Complete rows from their heads and their owners', in their order."""
    now = await completed_many(models, sessions, [stream(row.session_id) for row in rows])
    owners = await completed_many(models, users.users, list({user.stream(row.user_id) for row in rows}))
    epochs = {owner.row.user_id: owner.row.token_epoch for owner in owners.values()}
    at = await clock(models)
    found = (now.get(stream(row.session_id)) for row in rows)
    return [view(each.row, each.version, user_epoch=epochs.get(each.row.user_id, 0), at=at) for each in found if each is not None]


async def all_of(models: ReadModels, user_id: UserId, *, after: SessionId, limit: int) -> Sequence[SessionId]:
    """Give sessions somebody ever had, whatever became of them, from the oldest on. Raises StoreUnavailable."""
    records = await models.fetch(sessions, sessions.sql["all_of"], user_id, after, limit)
    return [SessionId(record["session_id"]) for record in records]
