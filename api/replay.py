"""The log again, oldest first, for auditors: a line for each event, and a last one that says whether that was all."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import JSONBody, QueryParameter

from api.asking import Asking
from api.audit import Actor, Stream, Type, moment, refuse_null
from api.events import After, Epoch
from api.refuse import refuses
from api.replaying import LAST, NDJSON, Wanted, answer
from domain import errors
from domain.audit import Question

Through = Annotated[int | None, QueryParameter(ge=0, le=LAST, description="End with this position; else with the last there is.")]
About = Annotated[UUID | None, QueryParameter(description="Events about this user.")]
Since = Annotated[datetime | None, QueryParameter(description="RFC 3339; what was recorded at this moment or later.")]
Until = Annotated[datetime | None, QueryParameter(description="RFC 3339; what was recorded before this moment.")]
REFUSALS = (
    errors.InvalidToken,
    errors.PermissionDenied,
    errors.LogChanged,
    errors.LogDetached,
    errors.TooManyWaiting,
    errors.Overloaded,
    errors.Contended,
)


class Replay(Controller):
    path = "/api/v1/audit"
    tags = ("audit",)

    @get(
        "/replay",
        operation_id="replayEvents",
        summary="Replay the log",
        description=(
            "A line of JSON for each event, oldest first: position, epoch, what the audit tree proves of it, and its payload. Sealed "
            "fields are shown to be sealed. It ends with what there was when it was asked for, or with the caller's token; its last line "
            "has `complete`, and `next` to go on from. Asking is written to the log."
        ),
        responses=refuses(*REFUSALS),
        opt={"content": NDJSON},
    )
    async def replay(  # noqa: PLR0917 - the framework calls by name
        self,
        request: Asking,
        after: After = 0,
        through: Through = None,
        epoch: Epoch = 0,
        since: Since = None,
        until: Until = None,
        actor: Actor = None,
        type_prefix: Type = None,
        stream: Stream = None,
        user_id: About = None,
    ) -> Response[bytes]:
        refuse_null(request, "through", "since", "until", "user_id")
        wanted = Wanted(
            after=after,
            through=through,
            epoch=epoch,
            since=moment(request, "since", since),
            until=moment(request, "until", until),
            actor=actor,
            type_prefix=type_prefix,
            stream=stream,
            user_id=user_id,
        )
        return await answer(request, wanted, Question.REPLAY)

    @post(
        "/reveal",
        operation_id="revealEvents",
        status_code=200,
        summary="Replay the log, sealed fields opened",
        description=(
            "As replayEvents, for whoever may open personal fields: `erased` stands where a person was forgotten. What is sealed as a "
            "credential stays so for everybody. That it was asked for is in the log before anything is shown."
        ),
        responses=refuses(*REFUSALS),
        opt={"content": NDJSON},
    )
    async def reveal(self, request: Asking, data: JSONBody[Wanted]) -> Response[bytes]:
        return await answer(request, data, Question.REVEAL)
