"""One replay of the log over HTTP: what is asked for, its lines, and the last one."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response
from msgspec import UNSET, Meta, Struct, UnsetType

from adapters.log_reader import LogPage
from adapters.log_walk import ACTOR, STREAM, TYPE, LogFilter, LogWalk, Stretch, stretch
from adapters.replay_lines import revealed_lines, sealed_lines
from api.asking import Asking
from api.callers import access_of, reidentify
from api.streaming import Streamed
from commands.audit_asked import record_asked
from domain.audit import Matter, Question
from domain.errors import LogChanged, Refused
from domain.ids import StreamName, UserId

NDJSON = "application/x-ndjson"
PAGE = 500
"""Positions in one go: some milliseconds, and others have their turn."""
REST = 2
"""Times what writing the lines took: reading their events took about as much."""
LOOKED_AT_AGAIN_SECONDS = 1.0
"""How long a replay may go on whose caller's account, token or right is gone."""
LAST = 2**53 - 1
"""As large as every reader of JSON takes a number."""

Position = Annotated[int, Meta(ge=0, le=LAST)]
Moment = Annotated[datetime, Meta(tz=True)]


class Wanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that is given must hold. Times are of recording, from `since` up to, not including, `until`."""

    after: Position = 0
    through: Position | None = None
    epoch: Annotated[int, Meta(ge=0, le=2**31 - 1, description="Of the log that positions are of; refused when another's. 0 is any.")] = 0
    since: Moment | None = None
    until: Moment | None = None
    actor: Annotated[str, Meta(pattern=ACTOR)] | None = None
    type_prefix: Annotated[str, Meta(pattern=TYPE)] | None = None
    stream: Annotated[str, Meta(pattern=STREAM)] | None = None
    user_id: UUID | None = None


class End(Struct, frozen=True, kw_only=True):
    """The last line. `next` is the `after` of who goes on; `complete` says that nothing is left of what was asked for. An answer
    without this line was cut off."""

    complete: bool
    next: int
    epoch: int
    size: int
    code: str | UnsetType = UNSET
    """Why it ends early: as of a problem."""


async def answer(request: Asking, wanted: Wanted, question: Question) -> Response[bytes]:
    """Write the question down, then begin to answer. Raises LogChanged, TooManyWaiting, Overloaded, and what `record_asked` does."""
    replays = request.world.replays
    replays.streams.require_room(request.caller_name)
    of = await stretch(replays.links, after=wanted.after, through=wanted.through, since=wanted.since, until=wanted.until)
    if wanted.after > of.size or wanted.epoch not in {0, of.epoch}:
        raise LogChanged
    if not request.exchange.wants_body:
        return Response(b"", media_type=NDJSON)
    about = Matter(first=of.after + 1, last=of.last, user_id=None if wanted.user_id is None else UserId(wanted.user_id))
    await record_asked(question, request.context(), request.world.ports, about)
    lines = _lines(request, of, _filter(wanted), revealing=question is Question.REVEAL)
    counted = replays.streams.one_more(request.caller_name)
    return Streamed(lines, media_type=NDJSON, headers={"X-Accel-Buffering": "no"}, counted=counted)


def _filter(wanted: Wanted) -> LogFilter:
    return LogFilter(
        actor=wanted.actor,
        type_prefix=wanted.type_prefix,
        stream=None if wanted.stream is None else StreamName(wanted.stream),
        user_id=None if wanted.user_id is None else UserId(wanted.user_id),
    )


async def _lines(request: Asking, of: Stretch, wanted: LogFilter, *, revealing: bool) -> AsyncGenerator[bytes]:
    """Give the lines of each page; after each, others have as long as it took to read and to write."""
    loop, world = asyncio.get_running_loop(), request.world
    looked_at, place, code = loop.time(), of.after, None
    try:
        async with aclosing(LogWalk(world.replays.links, wanted, page=PAGE).pages(of)) as pages:
            async for page in pages:
                if loop.time() - looked_at > LOOKED_AT_AGAIN_SECONDS:
                    await reidentify(request.exchange, access_of(request.route_handler), world)
                    looked_at = loop.time()
                async with world.replays.turn:
                    began = loop.time()
                    lines = await _written(request, page, revealing=revealing)
                    await asyncio.sleep(REST * (loop.time() - began))
                if lines:
                    yield lines
                place = page.through
                if world.leaving.is_set():
                    break
    except Refused as refused:  # too late for an answer of another status
        code = refused.code
    end = End(complete=place >= of.last, next=place, epoch=of.epoch, size=of.size, code=UNSET if code is None else code)
    yield msgspec.json.encode(end) + b"\n"


async def _written(request: Asking, page: LogPage, *, revealing: bool) -> bytes:
    if revealing:
        return await revealed_lines(page.events, request.world.ports.vault, epoch=page.epoch)
    return sealed_lines(page.events, epoch=page.epoch)
