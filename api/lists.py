"""What every list has: a limit, a cursor of ours, how old it is, and waiting for one's own write."""

from collections.abc import Sequence
from typing import Annotated, Generic, TypeVar

import msgspec
from litestar.params import QueryParameter
from msgspec import Struct

from api.asking import Asking
from domain.errors import CursorInvalid
from projections.projection import Projection
from projections.reading import Freshness

T = TypeVar("T")

Limit = Annotated[int, QueryParameter(ge=1, le=200, description="How many at most.")]
Cursor = Annotated[str | None, QueryParameter(max_length=2048, description="`next_cursor` of the page before; opaque.")]
FIFTY = 50


class Page(Struct, Generic[T], frozen=True, kw_only=True):
    """One page of a list. `next_cursor` is null on the last one."""

    data: Sequence[T]
    next_cursor: str | None


async def settle(request: Asking, projection: Projection) -> None:
    """Where `Minos-Wait-For` asks for it, wait until the read model has that write, for 300 ms at most.

    Raises StreamVersionInvalid before any look-up, TooManyWaiting.
    """
    token = request.exchange.headers.get(b"minos-wait-for")
    if token is None:
        return
    caller, world = request.caller_name, request.world
    stream, version = world.versions.read(caller, token.decode("ascii"))
    with world.waiting.one_more(caller):
        await world.models.wait_for(projection, stream, version)


def place(request: Asking, cursor: str | None, into: type[T], filtered_by: str = "") -> T | None:
    """Give where to go on from. Raises CursorInvalid for a cursor of another caller, list or filter."""
    if cursor is None:
        return None
    raw = request.world.cursors.read(cursor, caller=request.caller_name, route=request.route, filtered_by=filtered_by)
    try:
        return msgspec.json.decode(raw, type=into)
    except msgspec.DecodeError as error:
        raise CursorInvalid from error


def page(request: Asking, rows: Sequence[T], next_after: object, fresh: Freshness, filtered_by: str = "") -> Page[T]:
    request.exchange.say(b"minos-position", str(fresh.position))
    request.exchange.say(b"minos-age-ms", str(fresh.age_ms))
    if next_after is None:
        return Page(data=rows, next_cursor=None)
    cursor = request.world.cursors.make(
        msgspec.json.encode(next_after), caller=request.caller_name, route=request.route, filtered_by=filtered_by
    )
    return Page(data=rows, next_cursor=cursor)
