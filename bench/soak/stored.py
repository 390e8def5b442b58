"""What a stream of NATS holds, read to its end by batches of Direct Get: no consumer is made."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec
from msgspec import Struct
from nats.aio.client import Client
from nats.aio.msg import Msg

BATCH = 500
ANSWER_S = 5.0


class Stored(Struct, frozen=True):
    sequence: int
    subject: str
    data: bytes


async def stored(client: Client, stream: str, after: int = 0) -> Sequence[Stored]:
    """Give all messages behind a sequence. Raises TimeoutError where NATS does not answer."""
    return [each async for each in _read(client, stream, after)]


async def _read(client: Client, stream: str, after: int) -> AsyncIterator[Stored]:
    answers, inbox, left = asyncio.Queue[Msg](), client.new_inbox(), 1
    subscription = await client.subscribe(inbox, cb=answers.put)  # pyright: ignore[reportUnknownMemberType] - nats-py leaves a parameter untyped
    try:
        while left:
            question = msgspec.json.encode({"seq": after + 1, "batch": BATCH})
            await client.publish(f"$JS.API.DIRECT.GET.{stream}", question, reply=inbox)
            while (answer := await asyncio.wait_for(answers.get(), ANSWER_S)).data:
                headers = answer.headers or {}
                after = int(headers["Nats-Sequence"])
                yield Stored(after, headers["Nats-Subject"], answer.data)
            headers = answer.headers or {}
            left = int(headers.get("Nats-Num-Pending", "0")) if headers.get("Status") == "204" else 0
    finally:
        await subscription.unsubscribe()
