"""Which sessions a user has, and which of them still live: sessions joined with their user when asked."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import asyncpg
from msgspec import Struct

from domain.ids import SessionId, UserId
from domain.session import stream
from domain.session_events import EndReason
from projections import users
from projections.columns import from_record
from projections.completion import Completed, completed, completed_many
from projections.reading import Freshness, ReadModels
from projections.sessions import SessionRow, sessions


class SessionStatus(StrEnum):
    ACTIVE = "active"
    ENDED = "ended"


class Lapse(StrEnum):
    """Why a session is over without anybody having ended it."""

    EXPIRED = "expired"
    SIGNED_OUT_EVERYWHERE = "signed_out_everywhere"
    """Its user's token epoch rose past it: signed out everywhere, new password, or suspension."""


class SessionView(Struct, frozen=True, kw_only=True):
    session: SessionRow
    status: SessionStatus
    why_ended: EndReason | Lapse | None
    version: int


class SessionPage(Struct, frozen=True, kw_only=True):
    """Newest first. `next_after` is None on the last page; a page may hold fewer rows than asked for and not be the last."""

    rows: Sequence[SessionView]
    next_after: SessionId | None
    freshness: Freshness


async def of_user(
    models: ReadModels,
    user_id: UserId,
    *,
    status: SessionStatus | None = None,
    after: SessionId | None = None,
    limit: int = 50,
    surely: SessionId | None = None,
) -> SessionPage:
    """List a user's sessions, only the active or the ended ones if asked. Raises StoreUnavailable.

    Rows are completed from their heads and judged by the user's epoch as it is now, so nothing that has been ended is
    shown as active, however far behind the projector is; a session begun meanwhile may be missing, but not the one that is
    `surely` the user's: nobody is to miss the one they ask with.
    """
    fresh = await models.freshness(sessions)
    user = await users.get(models, user_id)
    epoch = 0 if user is None else user.row.token_epoch
    statement = sessions.sql[f"of_user_{status}" if status else "of_user"]
    if after is not None:
        statement = statement.replace("{after}", sessions.sql["after"])
        records = await models.fetch(sessions, statement, user_id, epoch, limit + 1, after)
    else:
        records = await models.fetch(sessions, statement.replace("{after}", ""), user_id, epoch, limit + 1)
    shown = records[:limit]
    last = shown[-1]["session_id"] if len(records) > limit else None
    unlisted = [] if surely is None or _is_elsewhere(surely, shown, after, last) else [stream(surely)]
    now = await completed_many(models, sessions, [*(record["stream"] for record in shown), *unlisted])
    views = [_judged(record, now.get(record["stream"]), user_epoch=epoch) for record in shown]
    for begun in (now[name] for name in unlisted if name in now):
        views.append(view(begun.row, begun.version, user_epoch=epoch, at=await clock(models)))
        views.sort(key=lambda each: each.session.session_id, reverse=True)
        if len(views) > limit:
            views = views[:limit]
            last = views[-1].session.session_id
    rows = [row for row in views if status is None or row.status is status]
    return SessionPage(rows=rows, next_after=last, freshness=fresh)


def _judged(record: asyncpg.Record, current: Completed[SessionRow] | None, *, user_epoch: int) -> SessionView:
    """As its stream is now; as the read model has it where that cannot be told."""
    row = from_record(sessions.columns, sessions.row, record) if current is None else current.row
    version = record["version"] if current is None else current.version
    return view(row, version, user_epoch=user_epoch, at=record["read_at"])


def _is_elsewhere(session_id: SessionId, shown: Sequence[asyncpg.Record], after: SessionId | None, last: SessionId | None) -> bool:
    """Whether it is among the rows, or its place is on a page before or after this one."""
    before = after is not None and session_id >= after
    return before or (last is not None and session_id < last) or any(record["session_id"] == session_id for record in shown)


async def get(models: ReadModels, session_id: SessionId) -> SessionView | None:
    """Give one session as its stream and its user's are now. None when it never began. Raises StoreUnavailable."""
    found = await completed(models, sessions, stream(session_id))
    if found is None:
        return None
    user = await users.get(models, found.row.user_id)
    epoch = 0 if user is None else user.row.token_epoch
    return view(found.row, found.version, user_epoch=epoch, at=await clock(models))


async def clock(models: ReadModels) -> datetime:
    """Give the database's time."""
    (clock,) = await models.fetch(sessions, sessions.sql["clock"])
    at: datetime = clock["read_at"]
    return at


def view(row: SessionRow, version: int, *, user_epoch: int, at: datetime) -> SessionView:
    """Judge a session by its own end, its user's token epoch and the time, in that order."""
    why: EndReason | Lapse | None = row.end_reason
    if why is None and row.token_epoch < user_epoch:
        why = Lapse.SIGNED_OUT_EVERYWHERE
    if why is None and at >= min(row.idle_expires_at, row.expires_at):
        why = Lapse.EXPIRED
    status = SessionStatus.ACTIVE if why is None else SessionStatus.ENDED
    return SessionView(session=row, status=status, why_ended=why, version=version)
