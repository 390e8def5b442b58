"""A subscriber as small as one can be and still miss nothing: it listens first, then reads what is stored, and merges by rule."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from nats.aio.client import Client
from nats.aio.msg import Msg

from adapters.nats_client import settled
from adapters.signal_stream import stream_name

BATCH = 256
Fact = Mapping[str, Any]


def merged(known: Fact | None, fact: Fact) -> Fact:
    """Give which of two facts of one subject holds, whichever came first."""
    if known is None:
        return fact
    match fact["kind"]:
        case "user" | "client":
            here, there = known.get("epoch"), fact.get("epoch")
            return known if here is None or (there is not None and there < here) else fact
        case "roles" | "role_map":
            return known if fact["version"] < known["version"] else fact
        case _:
            return fact


@dataclass
class Subscriber:
    client: Client
    key: EllipticCurvePublicKey
    of_class: str = "access"
    swapped: bool = False
    """Whether it reads first and listens afterwards: wrong, and found out by a test."""
    facts: dict[str, Fact] = field(default_factory=dict)
    beats: list[Mapping[str, Any]] = field(default_factory=list)
    holes: int = 0
    hints: int = 0
    count: int = 0
    epoch: int = 0
    sequence: int = 0
    came: asyncio.Event = field(default_factory=asyncio.Event)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start(self, pause: asyncio.Event | None = None) -> None:
        """`pause`, when given, is waited for between the two steps."""
        steps = [self.read, self.listen] if self.swapped else [self.listen, self.read]
        await steps[0]()
        if pause is not None:
            await pause.wait()
        await steps[1]()

    async def listen(self) -> None:
        audience = self.of_class.removeprefix("roles.")
        names = ["access"] if self.of_class == "access" else [f"roles.{audience}", f"role_map.{audience}"]
        for name in names:
            await self.client.subscribe(f"live.v1.{name}.>", cb=self._live)
            await self.client.subscribe(f"hint.v1.{name}.>", cb=self._hint)
        await settled(self.client)

    async def read(self) -> None:
        """Read what is stored after what was read, by batches of Direct Get (ADR-31)."""
        async with self._reading:
            pending = 1
            while pending:
                pending = await self._batch(self.sequence + 1)

    async def _batch(self, sequence: int) -> int:
        inbox, messages = self.client.new_inbox(), asyncio.Queue[Msg]()
        subscription = await self.client.subscribe(inbox, cb=messages.put)
        question = msgspec.json.encode({"seq": sequence, "batch": BATCH})
        await self.client.publish(f"$JS.API.DIRECT.GET.{stream_name(self.of_class)}", question, reply=inbox)
        try:
            while True:
                message = await asyncio.wait_for(messages.get(), 5)
                headers = message.headers or {}
                if not message.data:
                    return int(headers.get("Nats-Num-Pending", "0")) if headers.get("Status") == "204" else 0
                self.sequence = max(self.sequence, int(headers["Nats-Sequence"]))
                self._take(message.data)
        finally:
            await subscription.unsubscribe()

    async def _hint(self, message: Msg) -> None:
        self.hints += 1
        self._merge(self._opened(message.data))
        self.came.set()

    async def _live(self, message: Msg) -> None:
        said = self._opened(message.data)
        if "minos" not in said:
            await self._beat(said["feed"])
            self.came.set()
            return
        feed, known = said["feed"], (self.epoch, self.count)
        self._take(message.data)
        if feed["epoch"] == known[0] and feed["count"] > known[1] + 1:
            self.holes += 1
            await self.read()
        self.came.set()

    async def _beat(self, feed: Mapping[str, Any]) -> None:
        if feed["epoch"] > self.epoch:
            self.epoch, self.count, self.sequence = feed["epoch"], 0, 0
        if feed["sequence"] > self.sequence and feed["count"] > self.count:
            await self.read()
            self.count = max(self.count, feed["count"])
        self.beats.append(feed)

    def _take(self, token: bytes) -> None:
        said = self._opened(token)
        feed = said["feed"]
        if feed["epoch"] == self.epoch:
            self.count = max(self.count, feed["count"])
        elif feed["epoch"] > self.epoch and not self.epoch:
            self.epoch, self.count = feed["epoch"], feed["count"]
        self._merge(said)

    def _opened(self, token: bytes) -> Mapping[str, Any]:
        return jwt.decode(token.decode(), self.key, algorithms=["ES256"])

    def _merge(self, said: Mapping[str, Any]) -> None:
        fact = said["minos"]
        name = ":".join(str(fact[part]) for part in ("kind", "audience", "id") if part in fact)
        self.facts[name] = merged(self.facts.get(name), fact)


async def until(subscriber: Subscriber, said: Any, seconds: float = 15.0) -> None:
    """Wait until something holds, looking whenever anything came."""
    async with asyncio.timeout(seconds):
        while not said():
            subscriber.came.clear()
            if not said():
                await subscriber.came.wait()


def a_name() -> str:
    return f"a{uuid4().hex[:12]}"
