"""Sessions of all accounts: the suspicious ones, those a filter finds, one with its timeline."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, post
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Struct

from api import views
from api.asking import Asking
from api.lists import FIFTY, Cursor, Limit, Page, page, place, settle
from api.refuse import refuses
from api.session_filter import EXAMINED, SAMPLE, Filtered, RevokeByFilter, end_all, require_to_see
from commands.end_session import EndSession, end_session
from commands.review_session import Looked, ReviewSession, review_session
from domain import errors, session
from domain.ids import SessionId, UserId
from domain.suspicion import Review
from projections import session_lists, session_searches
from projections.sessions import sessions

_LISTED = (errors.InvalidToken, errors.PermissionDenied, errors.CursorInvalid, errors.StreamVersionInvalid, errors.TooManyWaiting)

_CHANGED = (
    errors.InvalidToken, errors.PermissionDenied, errors.RightsExceeded, errors.NoSuchUser, errors.NoSuchSession, errors.Contended,
)  # fmt: skip


class Reviewed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    review: Looked


class Step(Struct, frozen=True, kw_only=True):
    """One event of a session."""

    version: int
    at: datetime
    type: str
    actor: str


class SessionDetail(Struct, frozen=True, kw_only=True):
    session: views.SessionView
    timeline: Sequence[Step]
    """Newest first."""


class Sessions(Controller):
    path = "/api/v1/sessions"
    tags = ("sessions",)

    @get(
        "/suspicious",
        operation_id="listSuspiciousSessions",
        summary="Sessions whose sign-in was suspicious",
        description="Newest first, of all accounts; those nobody has looked into, unless another `review` is asked for.",
        responses=refuses(*_LISTED),
    )
    async def suspicious(
        self,
        request: Asking,
        review: Annotated[Review, QueryParameter(description="How far they have been looked into.")] = Review.OPEN,
        limit: Limit = FIFTY,
        cursor: Cursor = None,
    ) -> Page[views.SessionView]:
        after = place(request, cursor, UUID, review)
        await settle(request, sessions)
        found = await session_searches.suspicious(
            request.world.models, review=review, after=None if after is None else SessionId(after), limit=limit
        )
        rows = await views.sessions(found.rows, request.world.ports, request.own_session)
        return page(request, rows, found.next_after, found.freshness, review)

    @post(
        "/revoke-by-filter",
        operation_id="revokeSessionsByFilter",
        status_code=200,
        summary="End the sessions that a filter finds",
        description=(
            f"Looks at {EXAMINED} live sessions at a time that could match, in the order they began, and ends those that do: each on the "
            "truth of the moment, and only of people who may nothing that the caller may not. `next_cursor` goes on; null is the end. With "
            f"`dry_run` nothing ends, and the answer shows {SAMPLE} of those that would. Being shown any, a dry run, and asking by network "
            "or user agent need `minos.sessions.read` as well."
        ),
        responses=refuses(errors.InvalidToken, errors.PermissionDenied, errors.CursorInvalid, errors.Contended),
    )
    async def revoke_by_filter(self, request: Asking, data: JSONBody[RevokeByFilter]) -> Filtered:
        data.require_selector()
        sees = require_to_see(data, request.caller.permissions)
        filtered_by = msgspec.json.encode(data.selectors, order="sorted").decode()
        after = place(request, data.cursor, UUID, filtered_by)
        found = await session_searches.live(
            request.world.models, data.narrowed, after=None if after is None else SessionId(after), limit=EXAMINED
        )
        rows = await views.sessions(found.rows, request.world.ports, request.own_session)
        matched = [row for row in rows if data.holds_for(row)]
        ended, refused = await end_all(request, [] if data.dry_run else matched)
        going_on = page(request, rows, found.next_after, found.freshness, filtered_by)
        return Filtered(
            dry_run=data.dry_run,
            examined=len(rows),
            matched=len(matched),
            ended=ended,
            refused=refused,
            sample=matched[:SAMPLE] if sees else [],
            next_cursor=going_on.next_cursor,
        )


class UserSession(Controller):
    path = "/api/v1/users/{user_id:uuid}/sessions/{session_id:uuid}"
    tags = ("users",)

    @get(
        operation_id="readUserSession",
        summary="One session of an account, with its timeline",
        description="As it is now. The timeline is the session's own events, newest first.",
        responses=refuses(errors.InvalidToken, errors.PermissionDenied, errors.NoSuchSession),
    )
    async def read(
        self,
        request: Asking,
        user_id: FromPath[UUID],
        session_id: FromPath[UUID],
        timeline_limit: Annotated[int, QueryParameter(ge=1, le=100, description="How many events at most.")] = 20,
    ) -> SessionDetail:
        wanted = SessionId(session_id)
        found = await session_lists.get(request.world.models, wanted)
        if found is None or found.session.user_id != user_id:
            raise errors.NoSuchSession
        (shown,) = await views.sessions([found], request.world.ports, request.own_session)
        since = max(0, found.version - timeline_limit)
        events = await request.world.ports.store.read_stream(session.stream(wanted), since)
        steps = [Step(version=e.version, at=e.recorded_at, type=e.type, actor=e.actor) for e in reversed(events)]
        return SessionDetail(session=shown, timeline=steps[:timeline_limit])

    @delete(
        operation_id="endUserSession",
        summary="End one session of an account",
        responses=refuses(*_CHANGED),
    )
    async def end(self, request: Asking, user_id: FromPath[UUID], session_id: FromPath[UUID]) -> None:
        command = EndSession(user_id=UserId(user_id), session_id=SessionId(session_id))
        request.wrote(await end_session(command, request.context(), request.world.ports), session.stream(command.session_id))

    @post(
        "/review",
        operation_id="reviewUserSession",
        status_code=204,
        summary="Say that a suspicious session has been looked into",
        responses=refuses(*_CHANGED),
    )
    async def review(self, request: Asking, user_id: FromPath[UUID], session_id: FromPath[UUID], data: JSONBody[Reviewed]) -> None:
        command = ReviewSession(user_id=UserId(user_id), session_id=SessionId(session_id), review=data.review)
        request.wrote(await review_session(command, request.context(), request.world.ports), session.stream(command.session_id))
