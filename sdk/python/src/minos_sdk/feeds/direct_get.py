"""Reading a JetStream stream by batched Direct Get (NATS ADR-31): requests alone, and no consumer that somebody would have to allow."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from minos_sdk.signal_sets import LONGEST

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

_BATCH = 256
_WAIT_S = 5.0
_END_OF_BATCH, _NOT_FOUND = "204", "404"


class Unread(OSError):
    """The stream could not be read to its end."""


@dataclass(frozen=True, slots=True)
class Stored:
    sequence: int
    data: bytes


async def stored_from(client: "Client", stream: str, first: int) -> AsyncGenerator[Sequence[Stored]]:
    """Give all there is from a sequence on, in order and in parts, the next of which comes while the last is worked on.

    Raises Unread, and what nats-py raises.
    """
    asked = asyncio.create_task(_batch(client, stream, first))
    try:
        while True:
            batch = await asked
            if batch.following is not None:
                asked = asyncio.create_task(_batch(client, stream, batch.following))
            yield batch.stored
            if batch.following is None:
                return
    finally:
        asked.cancel()
        with suppress(asyncio.CancelledError, Exception):  # nobody reads on
            await asked


@dataclass(slots=True)
class _Answers:
    """What comes for one question. `following`: the sequence to ask for next; None at the end of the stream."""

    stream: str
    first: int
    stored: list[Stored] = field(default_factory=list[Stored])
    following: int | None = None
    error: Unread | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, answer: "Msg") -> None:
        try:
            self._take(answer.headers or {}, answer.data)
        except Unread as error:
            self.error = error
            self.ended.set()

    def _take(self, headers: dict[str, str], data: bytes) -> None:
        status = headers.get("Status")
        if status is None:
            if len(self.stored) == _BATCH:
                raise Unread(f"reading {self.stream} was answered with more than was asked for")
            if len(data) > LONGEST:
                raise Unread(f"reading {self.stream} was answered with what is no signal")
            self.stored.append(Stored(_number(headers.get("Nats-Sequence")), data))
            return
        if status not in (_END_OF_BATCH, _NOT_FOUND):
            raise Unread(f"reading {self.stream} answered {status}")
        if status == _END_OF_BATCH and _number(headers.get("Nats-Num-Pending")) > 0:
            self.following = _number(headers.get("Nats-Last-Sequence")) + 1
            if self.following <= self.first:
                raise Unread(f"reading {self.stream} gets no further")
        self.ended.set()


async def _batch(client: "Client", stream: str, first: int) -> _Answers:
    inbox, answers = client.new_inbox(), _Answers(stream, first)
    subscription = await client.subscribe(inbox, cb=answers.take)  # pyright: ignore[reportUnknownMemberType]  # nats-py: a bare Future
    try:
        question = json.dumps({"seq": max(first, 1), "batch": _BATCH}).encode()
        await client.publish(f"$JS.API.DIRECT.GET.{stream}", question, reply=inbox)
        async with asyncio.timeout(_WAIT_S):
            await answers.ended.wait()
    except TimeoutError:
        raise Unread(f"reading {stream} was not answered") from None
    finally:
        await subscription.unsubscribe()
    if answers.error is not None:
        raise answers.error
    return answers


def _number(text: str | None) -> int:
    try:
        return int(text or "")
    except ValueError:
        raise Unread("an answer lacks its number") from None
