"""What changed between two moments of the past: who gained or lost what, by which events."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Controller, get
from litestar.params import QueryParameter
from msgspec import Struct
from msgspec.structs import replace

from api.asking import Asking, refused_query
from api.lists import FIFTY, Cursor, Limit, place
from api.past import read_time
from api.refuse import refuses
from commands.audit_asked import record_asked
from domain import errors
from domain.audit import Matter, Question
from projections.past.diff import Change, Difference, diff
from projections.past.moments import Moment, moment

_WHEN = "RFC 3339 with an offset, `position:N`, or `now`."
From = Annotated[str, QueryParameter(name="from", max_length=64, description=_WHEN)]
To = Annotated[str, QueryParameter(name="to", max_length=64, description=_WHEN)]


class DiffPage(Struct, frozen=True, kw_only=True):
    """One page of what changed, in the order of the log. It may hold fewer rows than asked for and not be the last, or more by what one
    event did: `next_cursor` is null on the last one.
    """

    first: Moment
    last: Moment
    data: Sequence[Change]
    next_cursor: str | None


class _GoingOn(Struct, frozen=True, array_like=True):
    """Up to where the page before went, between the same two positions and moments."""

    first: int
    first_at: datetime
    last: int
    last_at: datetime
    after: int


class PastDiff(Controller):
    path = "/api/v1/audit/diff"
    tags = ("audit",)

    @get(
        operation_id="compareThePast",
        summary="Compare two moments of the past",
        description=(
            "Who gained or lost what in between: roles, what roles give and demand, suspensions, what service accounts and API keys may. "
            "What changed and changed back is not told, nor what ran out by itself: that is no event. The question is written to the log "
            "before it is answered."
        ),
        responses=refuses(
            errors.InvalidToken,
            errors.PermissionDenied,
            errors.CursorInvalid,
            errors.NoSuchPosition,
            errors.LogDetached,
            errors.StoreUnavailable,
        ),
    )
    async def compare(self, request: Asking, begin: From, end: To = "now", limit: Limit = FIFTY, cursor: Cursor = None) -> DiffPage:
        filtered_by = repr((begin, end))
        going_on = place(request, cursor, _GoingOn, filtered_by)
        first, last = await _moments(request, going_on, begin, end)
        if going_on is None:
            matter = Matter(first=first.position, last=last.position)
            await record_asked(Question.DIFF, request.context(), request.world.ports, matter)
        after = None if going_on is None else going_on.after
        return _page(request, await diff(request.world.models, first, last, after=after, limit=limit), filtered_by)


async def _moments(request: Asking, going_on: _GoingOn | None, begin: str, end: str) -> tuple[Moment, Moment]:
    """Raises NoSuchPosition, StoreUnavailable, ValidationFailed."""
    models = request.world.models
    if going_on is not None:
        return (
            replace(await moment(models, going_on.first), at=going_on.first_at),
            replace(await moment(models, going_on.last), at=going_on.last_at),
        )
    first, last = await moment(models, read_time("from", begin)), await moment(models, read_time("to", end))
    if first.position > last.position:
        raise refused_query("from", "invalid", "Later than `to`.")
    return first, last


def _page(request: Asking, found: Difference, filtered_by: str) -> DiffPage:
    cursor = None
    if found.next_after is not None:
        first, last = found.first, found.last
        going_on = _GoingOn(first.position, first.at, last.position, last.at, found.next_after)
        cursor = request.world.cursors.make(
            msgspec.json.encode(going_on), caller=request.caller_name, route=request.route, filtered_by=filtered_by
        )
    return DiffPage(first=found.first, last=found.last, data=found.rows, next_cursor=cursor)
