"""What was so at a moment of the past: who could do what, by which events."""

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
from api.refusals import Fault, ValidationFailed
from api.refuse import refuses
from commands.audit_asked import record_asked
from domain import errors
from domain.audit import Question
from domain.ids import StreamName
from projections.past import questions
from projections.past.answer import Answer
from projections.past.moments import Moment, moment, read_when
from projections.past.questions import Asked, Row
from projections.past.snapshot import Standing
from projections.past.walks import Place
from projections.periods import Mark

Time = Annotated[str, QueryParameter(max_length=64, description="RFC 3339 with an offset, `position:N`, or `now`.")]
WhoCan = Annotated[str | None, QueryParameter(max_length=128, description="A permission: who could do this?")]
WhatCan = Annotated[
    str | None,
    QueryParameter(max_length=80, description="`user:<id>`, `client:<id>` or `api_key:<id>`: what could they do, and their keys?"),
]
WhoHas = Annotated[str | None, QueryParameter(max_length=64, description="A role: who held it?")]
SessionsOf = Annotated[str | None, QueryParameter(max_length=64, description="A user's id: which of their sessions lived?")]


class PastPage(Struct, frozen=True, kw_only=True):
    """One page of an answer. It may hold fewer rows than asked for and not be the last: `next_cursor` is null on that one."""

    position: int
    """Every event up to here, and none after it."""
    epoch: int
    at: datetime
    """By which it is judged what had run out."""
    log_time: datetime | None
    checkpoint: int | None
    """Size of the newest signed checkpoint, where it covers the position."""
    rule: int
    """Which rule answers: from the same events, the same rule says the same."""
    held_back: Sequence[StreamName]
    """Streams with an event that cannot be read, or was moved away with a part of the log: what follows from it is not in the answer."""
    standing: Standing | None
    """That of whom or what was asked about."""
    standing_cites: Sequence[Mark]
    erased: bool
    """Whoever was asked about was forgotten since: nothing of them is left but the id."""
    data: Sequence[Row]
    next_cursor: str | None


class _GoingOn(Struct, frozen=True, array_like=True):
    """Where the page before ended: of the same position and moment, whatever came since."""

    position: int
    at: datetime
    place: Place


class Past(Controller):
    path = "/api/v1/audit/at"
    tags = ("audit",)

    @get(
        operation_id="askThePast",
        summary="Ask about a moment of the past",
        description=(
            "Exactly one of the four questions. Roles mean what they meant then; who was suspended or deleted could do nothing. Each row "
            "names the events it follows from. The question is written to the log before it is answered."
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
    async def ask(  # noqa: PLR0917 - the framework calls by name
        self,
        request: Asking,
        time: Time = "now",
        who_can: WhoCan = None,
        what_can: WhatCan = None,
        who_has: WhoHas = None,
        sessions_of: SessionsOf = None,
        limit: Limit = FIFTY,
        cursor: Cursor = None,
    ) -> PastPage:
        given = {
            Question.WHO_CAN: who_can, Question.WHAT_CAN: what_can, Question.WHO_HAS: who_has, Question.SESSIONS_OF: sessions_of,
        }  # fmt: skip
        asked = _read(given)
        filtered_by = repr((time, given))
        going_on = place(request, cursor, _GoingOn, filtered_by)
        then = await then_of(request, going_on, time)
        if going_on is None:
            await record_asked(asked.question, request.context(), request.world.ports, replace(asked.matter, last=then.position))
        found = await questions.answer(request.world.models, asked, then, after=None if going_on is None else going_on.place, limit=limit)
        return _page(request, found, filtered_by)


async def then_of(request: Asking, going_on: _GoingOn | None, time: str) -> Moment:
    """Find the moment. Raises NoSuchPosition, StoreUnavailable, ValidationFailed."""
    models = request.world.models
    if going_on is not None:
        return replace(await moment(models, going_on.position), at=going_on.at)
    return await moment(models, read_time("time", time))


def read_time(name: str, text: str) -> datetime | int:
    try:
        return read_when(text)
    except ValueError as error:
        raise refused_query(name, "invalid", "Not an RFC 3339 time with an offset, `position:N` or `now`.") from error


def _read(given: dict[Question, str | None]) -> Asked:
    asked = [(question, text) for question, text in given.items() if text is not None]
    if len(asked) != 1:
        raise ValidationFailed(
            tuple(
                Fault(pointer=f"?{question}", code="one_of", detail="Exactly one of the questions has to be asked.") for question in given
            )
        )
    question, text = asked[0]
    try:
        return questions.read(question, text)
    except ValueError as error:
        raise refused_query(question, "invalid", "Not the name of anything this could be asked about.") from error


def _page(request: Asking, found: Answer[Row], filtered_by: str) -> PastPage:
    then = found.then
    cursor = None
    if found.next_after is not None:
        going_on = _GoingOn(then.position, then.at, found.next_after)
        cursor = request.world.cursors.make(
            msgspec.json.encode(going_on), caller=request.caller_name, route=request.route, filtered_by=filtered_by
        )
    return PastPage(
        position=then.position,
        epoch=then.epoch,
        at=then.at,
        log_time=then.log_time,
        checkpoint=then.checkpoint,
        rule=then.rule,
        held_back=then.held_back,
        standing=found.standing,
        standing_cites=found.cites,
        erased=found.erased,
        data=found.rows,
        next_cursor=cursor,
    )
