"""What services are told, as streams of JetStream: one for each class of who may read it, with one message for each subject.

Facts are merged by epoch and version, so sending one twice changes nothing, and a writer that does not know what arrived sends it again.
"""

from base64 import b64decode
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from nats.aio.client import Client
from nats.errors import Error as NatsError

from adapters.base64url import from_text
from adapters.jetstream import NO_SUCH_MESSAGE, NO_SUCH_STREAM, JetStream, Outgoing, StreamAway
from adapters.signal_sets import Feed
from domain.signals.facts import ACCESS, SignalClass, audience_of

DURABLE = "sig.v1."
LIVE = "live.v1."
HINT = "hint.v1."
"""What a subject begins with: in the stream, as its live copy, and as the hint ahead of both."""
SEQUENCE = "Minos-Sequence"
"""Header of a live copy: where its original is in the stream."""


class Told(Struct, frozen=True):
    """What a SET in the stream says of itself."""

    jti: UUID
    feed: Feed


class SignalEnd(Struct, frozen=True, kw_only=True):
    """The stream's last sequence, and what is there: None where it is gone, or none of ours. It may have no message at all."""

    sequence: int
    last: Told | None
    is_empty: bool = False


class SignalStream:
    """The stream of one class. Everything here raises StreamAway."""

    def __init__(self, client: Client, of_class: SignalClass, *, replicas: int = 1) -> None:
        self._client = client
        self._jetstream = JetStream(client)
        self.of_class = of_class
        self._replicas = replicas
        self.name = stream_name(of_class)

    async def open(self) -> SignalEnd:
        """Find the stream's end, making the stream when it is not there."""
        answer = await self._jetstream.ask(f"STREAM.INFO.{self.name}", none_if=NO_SUCH_STREAM)
        if answer is None:
            answer = await self._jetstream.ask(f"STREAM.CREATE.{self.name}", self._configuration())
        elif answer["config"]["num_replicas"] != self._replicas:
            answer = await self._jetstream.ask(f"STREAM.UPDATE.{self.name}", self._configuration())
        state = (answer or {})["state"]
        last = int(state["last_seq"])
        return SignalEnd(sequence=last, last=await self._told_at(last) if last else None, is_empty=not state["messages"])

    async def end(self) -> SignalEnd | None:
        """Give the end without what is there; None where there is no stream."""
        answer = await self._jetstream.ask(f"STREAM.INFO.{self.name}", none_if=NO_SUCH_STREAM)
        if answer is None:
            return None
        state = answer["state"]
        return SignalEnd(sequence=int(state["last_seq"]), last=None, is_empty=not state["messages"])

    async def append(self, after: int, messages: Sequence[Outgoing]) -> None:
        """Add messages as the sequences following `after`, at most MOST_IN_BATCH. After an error some of them may be there."""
        await self._jetstream.append(self.name, after, messages, together=True)

    async def copy(self, subject: str, token: bytes, headers: dict[str, str] | None = None) -> None:
        """Tell who listens just now. It is kept nowhere, and nobody says whether it arrived."""
        try:
            await self._client.publish(subject, token, headers=headers)
        except (NatsError, OSError) as error:  # on the way to being connected again, with all that it keeps meanwhile
            raise StreamAway(type(error).__name__) from error

    async def forget_before(self, sequence: int) -> None:
        """Remove what is older: it was of another epoch, and all that holds was sent anew."""
        await self._jetstream.ask(f"STREAM.PURGE.{self.name}", {"seq": sequence})

    async def _told_at(self, sequence: int) -> Told | None:
        answer = await self._jetstream.ask(f"STREAM.MSG.GET.{self.name}", {"seq": sequence}, none_if=NO_SUCH_MESSAGE)
        return None if answer is None else _told(b64decode(answer["message"].get("data", "")))

    def _configuration(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "subjects": subjects(self.of_class),
            "storage": "file",
            "retention": "limits",
            "discard": "old",
            "num_replicas": self._replicas,
            "max_msgs_per_subject": 1,
            "max_consumers": -1,
            "max_msgs": -1,
            "max_bytes": -1,
            "max_age": 0,
            "allow_direct": True,
            "allow_atomic": True,
            "allow_msg_ttl": True,
            "deny_delete": True,
        }


def stream_name(of_class: SignalClass) -> str:
    return "SIG_ACCESS" if of_class == ACCESS else f"SIG_ROLES_{audience_of(of_class)}"


def subjects(of_class: SignalClass) -> list[str]:
    """Give all subjects of a class, as a stream has them."""
    if of_class == ACCESS:
        return [f"{DURABLE}{ACCESS}.>"]
    audience = audience_of(of_class)
    return [f"{DURABLE}roles.{audience}.>", f"{DURABLE}role_map.{audience}.>"]


def _told(message: bytes) -> Told | None:
    """Read without looking at the signature: whoever may write here writes what they like, and to be wrong costs sending all anew."""
    try:
        _, payload, _ = message.decode().split(".")
        return msgspec.json.decode(from_text(payload) or b"", type=Told)
    except (ValueError, msgspec.MsgspecError):
        return None
