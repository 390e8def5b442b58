"""Who did what, when, on what: for auditors and support."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, get
from litestar.params import QueryParameter

from adapters.log_walk import ACTOR, STREAM, TYPE
from adapters.proof_files import proof_file
from api.asking import Asking, refused_query
from api.calendar_ends import brought_in
from api.lists import FIFTY, Cursor, Limit, Page, page, place, settle
from api.refuse import refuses
from api.replaying import LAST
from commands.audit_asked import record_asked
from domain import errors
from domain.audit import Matter, Question
from domain.ids import StreamName, UserId
from projections import audit_events
from projections.audit_events import AuditFilter, AuditRow

TEXT = "text/plain"
Actor = Annotated[
    str | None,
    QueryParameter(
        pattern=ACTOR,
        description="`user:<id>`, `client:<id>`, `api_key:<id>`, `system:<part>`, `anonymous`.",
    ),
]
Type = Annotated[
    str | None,
    QueryParameter(pattern=TYPE, description="A type, or its beginning up to a dot, as `user` or `session.started`."),
]
Stream = Annotated[str | None, QueryParameter(pattern=STREAM, description="Events of this stream.")]


class Audit(Controller):
    path = "/api/v1/audit"
    tags = ("audit",)

    @get(
        "/events",
        operation_id="listAuditEvents",
        summary="List events",
        description="Newest first. Personal data is not in it.",
        responses=refuses(
            errors.InvalidToken, errors.PermissionDenied, errors.CursorInvalid, errors.StreamVersionInvalid, errors.TooManyWaiting
        ),
    )
    async def list_events(  # noqa: PLR0917 - the framework calls by name
        self,
        request: Asking,
        actor: Actor = None,
        type_prefix: Type = None,
        stream: Stream = None,
        user_id: Annotated[UUID | None, QueryParameter(description="Events about this user.")] = None,
        correlation_id: Annotated[UUID | None, QueryParameter(description="Events of one request.")] = None,
        since: Annotated[datetime | None, QueryParameter(description="RFC 3339; this moment or later.")] = None,
        until: Annotated[datetime | None, QueryParameter(description="RFC 3339; before this moment.")] = None,
        limit: Limit = FIFTY,
        cursor: Cursor = None,
    ) -> Page[AuditRow]:
        refuse_null(request, "since", "until", "user_id", "correlation_id")
        wanted = AuditFilter(
            actor=actor,
            type_prefix=type_prefix,
            stream=None if stream is None else StreamName(stream),
            user_id=None if user_id is None else UserId(user_id),
            correlation_id=correlation_id,
            since=moment(request, "since", since),
            until=moment(request, "until", until),
        )
        after = place(request, cursor, int, repr(wanted))
        await settle(request, audit_events.audit_events)
        found = await audit_events.page(request.world.models, matching_all=wanted, after=after, limit=limit)
        return page(request, found.rows, found.next_after, found.freshness, repr(wanted))

    @get(
        "/proofs",
        operation_id="proveEvent",
        summary="Prove an event",
        description=(
            "A file that can be handed on (C2SP tlog-proof): the event as it was hashed, the hashes from it to the root, and the signed "
            "checkpoint. Whoever has the log's key needs nothing else, and not Minos: `python -m minos_sdk.audit proof FILE`. Of an event "
            "whose payload retention has taken it proves the hash. Asking is written to the log."
        ),
        responses=refuses(
            errors.InvalidToken, errors.PermissionDenied, errors.NoSuchEvent, errors.LogDetached, errors.NotYetProved, errors.Contended
        ),
        opt={"content": TEXT},
    )
    async def prove(
        self, request: Asking, position: Annotated[int, QueryParameter(ge=1, le=LAST, description="Of the event.")]
    ) -> Response[bytes]:
        proof = await proof_file(request.world.replays.links, position)
        await record_asked(Question.PROVE, request.context(), request.world.ports, Matter(first=position, last=position))
        request.exchange.say(b"content-disposition", f'attachment; filename="{position}.tlog-proof"')
        return Response(proof.text.encode(), media_type=TEXT)


def moment(request: Asking, name: str, value: datetime | None) -> datetime | None:
    """Take RFC 3339 with an offset only, and bring far-off moments to the ends of what Postgres and Python share."""
    if value is None:
        return None
    if value.tzinfo is None or "T" not in str(request.query_params[name]).upper():
        raise refused_query(name, "invalid", "Not an RFC 3339 time with an offset.")
    return brought_in(value)


def refuse_null(request: Asking, *names: str) -> None:
    """Refuse the word `null`, which the framework takes for none: a filter that is passed over shows more than was asked for."""
    for name in names:
        if request.query_params.get(name, "").lower() == "null":
            raise refused_query(name, "invalid", "There is no such value; leave it out.")
