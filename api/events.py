"""The log as those may follow it who have no NATS: the same envelopes, in the order of their positions."""

import asyncio
from typing import Annotated

import msgspec
from litestar import Controller, Response, get
from litestar.params import QueryParameter
from msgspec import Raw, Struct

from adapters.event_envelope import CATEGORIES, LEAVING, Envelope, category_of, envelope
from adapters.log_reader import LogPage
from api.asking import Asking
from api.callers import access_of, reidentify
from api.policy import READ_EVENTS
from api.refuse import refuses
from domain import errors
from domain.errors import LogChanged, UnknownEventTag
from domain.permission import Permission, allows

A_HUNDRED = 100
LARGEST_PAGE = 512 * 1024
"""Bytes, after which a page ends early; one event more than that is at most 32 KiB."""
PAUSE_SECONDS = 0.1
"""A reader who waits for few kinds of events looks no more often at the others."""
_LAST = 2**53 - 1
"""As large as every reader of JSON takes a number."""

After = Annotated[int, QueryParameter(ge=0, le=_LAST, description="`next` of the answer before; 0 is the start of the log.")]
Looked = Annotated[int, QueryParameter(ge=1, le=500, description="How many positions to look at; what one may not see counts too.")]
Wait = Annotated[int, QueryParameter(ge=0, le=25, description="Seconds to wait where there is nothing yet.")]
Epoch = Annotated[
    int, QueryParameter(ge=0, le=2**31 - 1, description="Of the log that `after` is a position of; refused when it is another's. 0 is any.")
]


class EventPage(Struct, frozen=True, kw_only=True):
    """Some of the log: what the caller may see of the positions up to `next`. `size` is the last position there was."""

    data: list[Envelope]
    next: int
    epoch: int
    size: int


class Written(Struct, frozen=True, kw_only=True):
    """An EventPage whose events are bytes already: those that NATS has."""

    data: list[Raw]
    next: int
    epoch: int
    size: int


class Events(Controller):
    path = "/api/v1/events"
    tags = ("events",)

    @get(
        operation_id="readEvents",
        summary="Follow the log",
        description=(
            "Oldest first, each event as it is on NATS, and no personal data in it. Positions are contiguous; `next` moves over events "
            "of kinds the caller may not read. What was read is known by epoch and position together: send both, and begin anew where "
            "they are refused."
        ),
        responses=refuses(errors.InvalidToken, errors.PermissionDenied, errors.LogChanged, errors.LogDetached, errors.TooManyWaiting),
        opt={"answers": EventPage},
    )
    async def read(self, request: Asking, after: After = 0, limit: Looked = A_HUNDRED, wait: Wait = 0, epoch: Epoch = 0) -> Response[bytes]:
        found = await _page(request, after, limit, epoch)
        if wait and not found.data and found.next == found.size:
            with request.world.waiting.one_more(request.caller_name):
                found = await _awaited(request, found, limit, wait)
        return Response(msgspec.json.encode(found), media_type="application/json")


def readable(held: tuple[Permission, ...]) -> frozenset[str]:
    """Give the categories of events that may be read with these permissions."""
    if allows(held, READ_EVENTS):
        return CATEGORIES
    return frozenset(category for category in CATEGORIES if allows(held, Permission(f"{READ_EVENTS}.{category}")))


async def _awaited(request: Asking, found: Written, limit: int, seconds: int) -> Written:
    """Wait for something that the caller may see, by the rights they have once it is there."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while not (found.data or request.world.leaving.is_set()) and (left := until - loop.time()) > 0:
        await request.world.feed.beyond(found.next, left)
        await reidentify(request.exchange, access_of(request.route_handler), request.world)
        found = await _page(request, found.next, limit, found.epoch)
        if not found.data:
            await asyncio.sleep(PAUSE_SECONDS)
    return found


async def _page(request: Asking, after: int, limit: int, epoch: int) -> Written:
    """Raises LogChanged."""
    page = await request.world.feed.page(after, limit)
    if after > page.size or epoch not in {0, page.epoch}:
        raise LogChanged
    return _written(page, after, readable(tuple(request.permissions)))


def _written(page: LogPage, after: int, categories: frozenset[str]) -> Written:
    told: list[Raw] = []
    size, position = 0, after
    for event in page.events:
        position += 1
        if event.type not in LEAVING:  # also where it is not for this reader: nobody goes on over what is not understood
            raise UnknownEventTag(event.type)
        if category_of(event.type) in categories:
            body = envelope(event, epoch=page.epoch)
            told.append(Raw(body))
            size += len(body)
        if size >= LARGEST_PAGE:
            break
    return Written(data=told, next=position, epoch=page.epoch, size=page.size)
