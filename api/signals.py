"""Signals for those who have no NATS: all of them in one document, and each as it comes."""

import asyncio
import math
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Annotated

import msgspec
from litestar import Controller, Response, get
from litestar.params import HeaderParameter, QueryParameter

from api.asking import Asking
from api.callers import access_of, reidentify
from api.etags import NOT_CHANGED, IfNoneMatch, is_known
from api.refuse import refuses
from api.signal_listener import Listener
from api.signal_positions import Position, positions
from api.snapshot_lane import Snapshot
from api.snapshots import etag_of
from api.streaming import Streamed
from domain import errors
from domain.errors import PermissionDenied, Refused
from domain.ids import AudienceName
from domain.permission import allows
from domain.signal_rights import role_signals
from domain.signals.facts import ACCESS, SignalClass, roles_class

JWT, EVENTS = "application/jwt", "text/event-stream"
PIECE = 65_536
SENT_WITHIN_SECONDS = 60.0
"""However large a document: the SDK waits no longer for one."""

Audience = Annotated[
    str | None,
    QueryParameter(pattern=r"^[a-z0-9_-]{1,64}$(?!\n)", description="Whose role signals are wanted besides those of class `access`."),
]
After = Annotated[
    str | None,
    QueryParameter(
        max_length=2048, description="What is known, as in an event's `id`: `<class>:<epoch>:<count>` of each class, joined by commas."
    ),
]
LastEventId = Annotated[
    str | None, HeaderParameter(name="Last-Event-ID", max_length=2048, description="The `id` of the last event known: goes on after it.")
]


class Signals(Controller):
    path = "/api/v1/signals"
    tags = ("signals",)

    @get(
        "/snapshot",
        operation_id="readSignals",
        summary="All live signals, signed",
        description=(
            "A JWS of type `minos-snapshot+jwt`, under a key of `/.well-known/signals-jwks.json`: every fact that holds, and up to "
            "when that is complete. With `after`, only what came behind those positions, and each class says so: `after` is there. A "
            "document of all comes instead where a class has begun anew since, or where much is lacking. What has no `Age` has all that "
            "was committed when it was asked for; else ask with `after` for what came since. Its ETag is of the facts; with a 304, "
            "`Minos-Heartbeat` has the signed heartbeat of each class, which says up to when nothing has changed. `audience` needs the "
            "permission `minos.signals.roles.<audience>` besides."
        ),
        responses=NOT_CHANGED
        | refuses(
            errors.InvalidToken,
            errors.PermissionDenied,
            errors.NoSuchAudience,
            errors.CursorInvalid,
            errors.TooManyWaiting,
            errors.Overloaded,
        ),
        opt={"content": JWT},
    )
    async def snapshot(self, request: Asking, audience: Audience = None, after: After = None, known: IfNoneMatch = None) -> Response[bytes]:
        asked_at = asyncio.get_running_loop().time()
        classes, there = _classes(request, audience), positions(after)
        telling = request.world.telling
        states, caller = await telling.hub.states(classes), request.caller_name
        if there.keys() >= states.keys():
            difference = await telling.snapshots.since({name: there[name] for name in states}, caller=caller)
            if difference is not None:
                return _sent(request, difference, asked_at)
        if is_known(etag := etag_of(states), known):
            beats = ", ".join([await telling.hub.heartbeat(state) for state in states.values()])
            return Response(b"", status_code=304, headers={"ETag": etag, "Minos-Heartbeat": beats}, media_type=JWT)
        whole = await telling.snapshots.of(classes, caller=caller)
        return _sent(request, whole, asked_at, ETag=whole.etag)

    @get(
        "/stream",
        operation_id="followSignals",
        summary="Signals as they come",
        description=(
            "Server-sent events: `signal` with a SET (RFC 8417) as data, and each second a `heartbeat` of each class, once everything it "
            "counts has been sent. The `id` says how far that is; counts have gaps where a newer signal took another's place. Another "
            "epoch than that of `Last-Event-ID` is sent from its start. `end` says why it ends: the token has, or the right is gone."
        ),
        responses=refuses(
            errors.InvalidToken,
            errors.PermissionDenied,
            errors.NoSuchAudience,
            errors.CursorInvalid,
            errors.TooManyWaiting,
            errors.Overloaded,
        ),
        opt={"content": EVENTS},
    )
    async def stream(self, request: Asking, audience: Audience = None, after: After = None, last: LastEventId = None) -> Response[bytes]:
        classes, known = _classes(request, audience), positions(last or after)
        telling = request.world.telling
        telling.streams.require_room(request.caller_name)
        await telling.hub.states(classes)
        if not request.exchange.wants_body:
            return Response(b"", media_type=EVENTS)
        # A proxy that gathers an answer before it passes it on would hold signals back.
        lines, counted = _lines(request, audience, classes, known), telling.streams.one_more(request.caller_name)
        return Streamed(lines, media_type=EVENTS, headers={"X-Accel-Buffering": "no"}, counted=counted)


def _sent(request: Asking, snapshot: Snapshot, asked_at: float, **headers: str) -> Response[bytes]:
    """A large one goes out in pieces, as one of the answers that are counted: who takes them in slowly holds all of it in memory."""
    if snapshot.as_of < asked_at:
        headers["Age"] = str(math.ceil(asked_at - snapshot.as_of))
    if len(snapshot.body) <= PIECE or not request.exchange.wants_body:
        return Response(snapshot.body, headers=headers, media_type=JWT)
    counted = request.world.telling.streams.one_more(request.caller_name)
    return Streamed(_pieces(snapshot.body), media_type=JWT, headers=headers, counted=counted, within=SENT_WITHIN_SECONDS)


async def _pieces(body: bytes) -> AsyncGenerator[bytes]:
    for first in range(0, len(body), PIECE):
        yield body[first : first + PIECE]


async def _lines(
    request: Asking, audience: str | None, classes: Sequence[SignalClass], known: Mapping[SignalClass, Position]
) -> AsyncGenerator[bytes]:
    telling = request.world.telling

    async def still() -> None:
        await reidentify(request.exchange, access_of(request.route_handler), request.world)
        _classes(request, audience)

    try:
        async with telling.hub.listening(classes) as channels, aclosing(Listener(telling.hub, channels, known, still).lines()) as lines:
            async for piece in lines:
                yield piece
    except Refused as refused:  # too late for an answer of another status
        yield b'event: end\ndata: {"code":%b}\n\n' % msgspec.json.encode(refused.code)


def _classes(request: Asking, audience: str | None) -> Sequence[SignalClass]:
    """Give the classes asked for. Raises PermissionDenied; that there is such an audience is not looked at before."""
    if audience is None:
        return (ACCESS,)
    if not allows(request.permissions, role_signals(AudienceName(audience))):
        raise PermissionDenied
    return (ACCESS, roles_class(AudienceName(audience)))
