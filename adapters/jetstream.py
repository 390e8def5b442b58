"""Streams of JetStream as a single writer needs them: made when missing, asked for their end, appended to where they are expected to end.

Every message is appended only after the sequence it expects, so two writers cannot interleave. Many go as one atomic batch, which one
flush to disk serves: with `sync_interval: always` that is ten times the rate of single messages. Needs nats-server 2.12 or newer.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import msgspec
from msgspec import Struct
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

REQUEST_SECONDS = 5.0
MOST_IN_BATCH = 500
"""The server takes 1,000 and holds them in memory meanwhile."""
FEW = 12
"""So few go one after the other: staging a batch makes files and costs the server 2 to 8 ms of processor time, whatever its size;
a message costs 0.2 to 0.5 ms and about 1 ms of waiting (nats-server 2.15 on ext4, measured on two cores)."""

NO_SUCH_STREAM = 10059
NO_SUCH_MESSAGE = 10037
_WRONG_LAST_SEQUENCE = 10071


class StreamAway(Exception):
    """NATS did not answer, or refused for a reason of its own. What was sent may be there or not: ask for the end again."""


class NotTheEnd(Exception):
    """The stream does not end where the writer thought: another one writes, or the stream lost something."""


class Outgoing(Struct, frozen=True):
    subject: str
    body: bytes
    headers: Mapping[str, str] = {}


class JetStream:
    """The JetStream of one connection. Everything here raises StreamAway."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def ask(self, what: str, question: Mapping[str, Any] | None = None, *, none_if: int | None = None) -> dict[str, Any] | None:
        """Call one function of its API. None where it answers with the error `none_if`."""
        self._insist_on_connection()
        try:
            answer = _answer(await self._client.request(f"$JS.API.{what}", msgspec.json.encode(question or {}), timeout=REQUEST_SECONDS))
        except (NatsError, OSError, TimeoutError) as error:
            raise StreamAway(type(error).__name__) from error
        code = _error_code(answer)
        if code is None:
            return answer
        if code == none_if:
            return None
        raise StreamAway(f"JetStream error {code}")

    async def append(self, stream: str, after: int, messages: Sequence[Outgoing], *, together: bool = False) -> None:
        """Add messages, in order, as the sequences following `after`. At most MOST_IN_BATCH.

        Raises NotTheEnd when the stream ends elsewhere, StreamAway when nobody knows what happened: then none is there, or
        some of the first. With `together` a few do not wait for one another: then it may be some of any, and all are to be sent again.
        """
        self._insist_on_connection()
        one_by_one = self._side_by_side if together else self._one_by_one
        try:
            await (one_by_one if len(messages) <= FEW else self._at_once)(stream, after, messages)
        except (NatsError, OSError, TimeoutError) as error:
            raise StreamAway(type(error).__name__) from error

    async def _one_by_one(self, stream: str, after: int, messages: Sequence[Outgoing]) -> None:
        """Each after the answer to the one before: behind a refused one, the next could fit where another history has begun."""
        for sequence, message in enumerate(messages, start=after):
            await self._one(stream, sequence, message)

    async def _side_by_side(self, stream: str, after: int, messages: Sequence[Outgoing]) -> None:
        answers = await asyncio.gather(
            *(self._one(stream, sequence, message) for sequence, message in enumerate(messages, start=after)), return_exceptions=True
        )
        for answer in answers:
            if answer is not None:
                raise answer

    async def _one(self, stream: str, after: int, message: Outgoing) -> None:
        headers = {**message.headers, "Nats-Expected-Stream": stream, "Nats-Expected-Last-Sequence": str(after)}
        answer = await self._client.request(message.subject, message.body, timeout=REQUEST_SECONDS, headers=headers)
        _expect(_answer(answer), sequence=after + 1)

    async def _at_once(self, stream: str, after: int, messages: Sequence[Outgoing]) -> None:
        batch, last = uuid4().hex, len(messages)
        for number, message in enumerate(messages, start=1):
            headers = {**message.headers, "Nats-Expected-Stream": stream, "Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
            if number == 1:
                headers["Nats-Expected-Last-Sequence"] = str(after)
            if number < last:
                await self._client.publish(message.subject, message.body, headers=headers)
                continue
            headers["Nats-Batch-Commit"] = "1"
            answer = await self._client.request(message.subject, message.body, timeout=REQUEST_SECONDS, headers=headers)
            _expect(_answer(answer), sequence=after + last)

    def _insist_on_connection(self) -> None:
        """What is sent while disconnected would only be kept in memory, and the answer waited for in vain."""
        if not self._client.is_connected:
            raise StreamAway("not connected")


def _answer(message: Msg) -> dict[str, Any]:
    return msgspec.json.decode(message.data, type=dict[str, Any])


def _error_code(answer: dict[str, Any]) -> int | None:
    error = answer.get("error")
    return None if error is None else int(error.get("err_code", error.get("code", 0)))


def _expect(answer: dict[str, Any], *, sequence: int) -> None:
    code = _error_code(answer)
    if code == _WRONG_LAST_SEQUENCE:
        raise NotTheEnd
    if code is not None:
        raise StreamAway(f"JetStream error {code}")
    if answer.get("seq") != sequence:
        raise NotTheEnd
