"""The log as a JetStream stream: one message per event, under the event's own position.

Every message is appended only after the sequence it expects, so two writers cannot interleave and a stream that lost its
tail is filled up with the same numbers. Many go as one atomic batch, which one flush to disk serves: with
`sync_interval: always` that is ten times the rate of single messages. Needs nats-server 2.12 or newer.
"""

from base64 import b64decode
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import msgspec
from msgspec import Struct
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from domain.ids import EventId

REQUEST_SECONDS = 5.0
MOST_IN_BATCH = 500
"""The server takes 1,000 and holds them in memory meanwhile."""
FEW = 12
"""So few go one after the other: staging a batch makes files and costs the server 2 to 8 ms of processor time, whatever its size;
a message costs 0.2 to 0.5 ms and about 1 ms of waiting (nats-server 2.15 on ext4, measured on two cores)."""

_WRONG_LAST_SEQUENCE = 10071
_NO_SUCH_STREAM = 10059
_NO_SUCH_MESSAGE = 10037


class StreamAway(Exception):
    """NATS did not answer, or refused for a reason of its own. What was sent may be there or not: ask for the end again."""


class NotTheEnd(Exception):
    """The stream does not end where the writer thought: another one writes, or the stream lost something."""


class Outgoing(Struct, frozen=True):
    subject: str
    body: bytes


class StreamEnd(Struct, frozen=True, kw_only=True):
    """The stream's last sequence, 0 when it is empty, and which event that is, None when the message is gone."""

    sequence: int
    event_id: EventId | None


class _Identified(Struct, frozen=True):
    event_id: EventId


class EventStream:
    """The stream of one epoch. Streams of earlier epochs keep what they have and give up the subjects."""

    def __init__(self, client: Client, *, epoch: int, name: str = "MINOS_EVENTS", root: str = "minos.events", replicas: int = 1) -> None:
        self._client = client
        self._base = name
        self._root = root
        self._replicas = replicas
        self.epoch = epoch
        self.name = _name(name, epoch)

    async def open(self) -> StreamEnd:
        """Find the stream's end, making the stream when it is not there. Raises StreamAway."""
        answer = await self._ask(f"STREAM.INFO.{self.name}", {}, none_if=_NO_SUCH_STREAM)
        if answer is None:
            await self._close_earlier()
            answer = await self._ask(f"STREAM.CREATE.{self.name}", self._configuration(self.name, f"{self._root}.v1.>"))
        last = int((answer or {})["state"]["last_seq"])
        return StreamEnd(sequence=last, event_id=await self._event_at(last) if last else None)

    async def append(self, after: int, messages: Sequence[Outgoing]) -> None:
        """Add messages, in order, as the sequences following `after`. At most MOST_IN_BATCH.

        Raises NotTheEnd when the stream ends elsewhere, StreamAway when nobody knows what happened: then none is there, or
        some of the first.
        """
        self._insist_on_connection()
        try:
            await (self._one_by_one if len(messages) <= FEW else self._at_once)(after, messages)
        except (NatsError, OSError, TimeoutError) as error:
            raise StreamAway(type(error).__name__) from error

    async def _one_by_one(self, after: int, messages: Sequence[Outgoing]) -> None:
        """Each after the answer to the one before: behind a refused one, the next could fit where another history has begun."""
        for sequence, message in enumerate(messages, start=after):
            headers = {"Nats-Expected-Stream": self.name, "Nats-Expected-Last-Sequence": str(sequence)}
            answer = await self._client.request(message.subject, message.body, timeout=REQUEST_SECONDS, headers=headers)
            _expect(_answer(answer), sequence=sequence + 1)

    async def _at_once(self, after: int, messages: Sequence[Outgoing]) -> None:
        batch, last = uuid4().hex, len(messages)
        for number, message in enumerate(messages, start=1):
            headers = {"Nats-Expected-Stream": self.name, "Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
            if number == 1:
                headers["Nats-Expected-Last-Sequence"] = str(after)
            if number < last:
                await self._client.publish(message.subject, message.body, headers=headers)
                continue
            headers["Nats-Batch-Commit"] = "1"
            answer = await self._client.request(message.subject, message.body, timeout=REQUEST_SECONDS, headers=headers)
            _expect(_answer(answer), sequence=after + last)

    async def _close_earlier(self) -> None:
        """Let the streams of earlier epochs go on as archives: their subjects are this one's now."""
        for epoch in range(1, self.epoch):
            name = _name(self._base, epoch)
            if await self._ask(f"STREAM.INFO.{name}", {}, none_if=_NO_SUCH_STREAM) is not None:
                await self._ask(f"STREAM.UPDATE.{name}", self._configuration(name, f"{self._root}.closed.{epoch}.>"))

    def _configuration(self, name: str, subjects: str) -> dict[str, Any]:
        return {
            "name": name,
            "subjects": [subjects],
            "storage": "file",
            "retention": "limits",
            "discard": "old",
            "num_replicas": self._replicas,
            "max_consumers": -1,
            "max_msgs": -1,
            "max_bytes": -1,
            "max_age": 0,
            "allow_direct": True,
            "allow_atomic": True,
            "deny_delete": True,
            "deny_purge": True,
        }

    async def _event_at(self, sequence: int) -> EventId | None:
        answer = await self._ask(f"STREAM.MSG.GET.{self.name}", {"seq": sequence}, none_if=_NO_SUCH_MESSAGE)
        if answer is None:
            return None
        return msgspec.json.decode(b64decode(answer["message"]["data"]), type=_Identified).event_id

    def _insist_on_connection(self) -> None:
        """What is sent while disconnected would only be kept in memory, and the answer waited for in vain."""
        if not self._client.is_connected:
            raise StreamAway("not connected")

    async def _ask(self, what: str, question: dict[str, Any], *, none_if: int | None = None) -> dict[str, Any] | None:
        self._insist_on_connection()
        try:
            answer = _answer(await self._client.request(f"$JS.API.{what}", msgspec.json.encode(question), timeout=REQUEST_SECONDS))
        except (NatsError, OSError, TimeoutError) as error:
            raise StreamAway(type(error).__name__) from error
        code = _error_code(answer)
        if code is None:
            return answer
        if code == none_if:
            return None
        raise StreamAway(f"JetStream error {code}")


def _name(base: str, epoch: int) -> str:
    return base if epoch == 1 else f"{base}_E{epoch}"


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
