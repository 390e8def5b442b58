"""Reading a JetStream stream by batched Direct Get (NATS ADR-31): requests alone, and no consumer that somebody would have to allow."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nats.aio.client import Client

_BATCH = 256
_WAIT_S = 5.0
_END_OF_BATCH, _NOT_FOUND = "204", "404"


class Unread(OSError):
    """The stream could not be read to its end."""


@dataclass(frozen=True, slots=True)
class Stored:
    sequence: int
    data: bytes


async def stored_from(client: "Client", stream: str, first: int) -> AsyncGenerator[Stored]:
    """Give all there is from a sequence on, in order. Raises Unread, and what nats-py raises."""
    following: int | None = first
    while following is not None:
        async with aclosing(_batch(client, stream, following)) as answers:
            async for each in answers:
                if isinstance(each, Stored):
                    yield each
                else:
                    following = each.following


@dataclass(frozen=True, slots=True)
class _End:
    following: int | None
    """The sequence to ask for next; None at the end of the stream."""


async def _batch(client: "Client", stream: str, first: int) -> AsyncGenerator[Stored | _End]:
    inbox = client.new_inbox()
    answers = await client.subscribe(inbox)  # pyright: ignore[reportUnknownMemberType]  # nats-py: a bare Future
    try:
        question = json.dumps({"seq": max(first, 1), "batch": _BATCH}).encode()
        await client.publish(f"$JS.API.DIRECT.GET.{stream}", question, reply=inbox)
        while True:
            answer = await answers.next_msg(timeout=_WAIT_S)
            headers = answer.headers or {}
            status = headers.get("Status")
            if status is None:
                yield Stored(_number(headers.get("Nats-Sequence")), answer.data)
                continue
            if status not in (_END_OF_BATCH, _NOT_FOUND):
                raise Unread(f"reading {stream} answered {status}")
            left = status == _END_OF_BATCH and _number(headers.get("Nats-Num-Pending")) > 0
            yield _End(_number(headers.get("Nats-Last-Sequence")) + 1 if left else None)
            return
    finally:
        await answers.unsubscribe()


def _number(text: str | None) -> int:
    try:
        return int(text or "")
    except ValueError:
        raise Unread("an answer lacks its number") from None
