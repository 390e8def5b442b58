"""The log as a JetStream stream: one message per event, under the event's own position.

A stream that lost its tail is filled up with the same numbers, and nobody but Minos itself reads it (docs/explanation/signals.md).
"""

from base64 import b64decode
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from nats.aio.client import Client

from adapters.jetstream import NO_SUCH_MESSAGE, NO_SUCH_STREAM, JetStream, Outgoing
from domain.ids import EventId


class StreamEnd(Struct, frozen=True, kw_only=True):
    """The stream's last sequence, 0 when it is empty, and which event that is, None when the message is gone."""

    sequence: int
    event_id: EventId | None


class _Identified(Struct, frozen=True):
    event_id: EventId


class EventStream:
    """The stream of one epoch. Streams of earlier epochs keep what they have and give up the subjects."""

    def __init__(self, client: Client, *, epoch: int, name: str = "MINOS_EVENTS", root: str = "minos.events", replicas: int = 1) -> None:
        self._jetstream = JetStream(client)
        self._base = name
        self._root = root
        self._replicas = replicas
        self.epoch = epoch
        self.name = _name(name, epoch)

    async def open(self) -> StreamEnd:
        """Find the stream's end, making the stream when it is not there. Raises StreamAway."""
        wanted = self._configuration(self.name, f"{self._root}.v1.>")
        answer = await self._jetstream.ask(f"STREAM.INFO.{self.name}", none_if=NO_SUCH_STREAM)
        if answer is None:
            await self._close_earlier()
            answer = await self._jetstream.ask(f"STREAM.CREATE.{self.name}", wanted)
        elif answer["config"].get("allow_direct") or answer["config"]["num_replicas"] != self._replicas:
            # It was made when nobody else was to be let near it, or for another number of servers.
            answer = await self._jetstream.ask(f"STREAM.UPDATE.{self.name}", wanted)
        last = int((answer or {})["state"]["last_seq"])
        return StreamEnd(sequence=last, event_id=await self._event_at(last) if last else None)

    async def append(self, after: int, messages: Sequence[Outgoing]) -> None:
        """Add messages, in order, as the sequences following `after`. At most MOST_IN_BATCH.

        Raises NotTheEnd when the stream ends elsewhere, StreamAway when nobody knows what happened: then none is there, or
        some of the first.
        """
        await self._jetstream.append(self.name, after, messages)

    async def _close_earlier(self) -> None:
        """Let the streams of earlier epochs go on as archives: their subjects are this one's now."""
        for epoch in range(1, self.epoch):
            name = _name(self._base, epoch)
            if await self._jetstream.ask(f"STREAM.INFO.{name}", none_if=NO_SUCH_STREAM) is not None:
                await self._jetstream.ask(f"STREAM.UPDATE.{name}", self._configuration(name, f"{self._root}.closed.{epoch}.>"))

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
            "allow_direct": False,  # what services may ask of their signals, none may ask of the log
            "allow_atomic": True,
            "deny_delete": True,
            "deny_purge": True,
        }

    async def _event_at(self, sequence: int) -> EventId | None:
        answer = await self._jetstream.ask(f"STREAM.MSG.GET.{self.name}", {"seq": sequence}, none_if=NO_SUCH_MESSAGE)
        if answer is None:
            return None
        return msgspec.json.decode(b64decode(answer["message"]["data"]), type=_Identified).event_id


def _name(base: str, epoch: int) -> str:
    return base if epoch == 1 else f"{base}_E{epoch}"
