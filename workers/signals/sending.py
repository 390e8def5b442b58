"""Appends what waits of a class to its stream, then tells it to those who listen."""

import asyncio
from collections.abc import Sequence

from adapters.jetstream import Outgoing
from adapters.signal_sets import Feed, SignalSigner
from adapters.signal_stream import DURABLE, LIVE, SEQUENCE
from workers.signals.due import Due, Waiting
from workers.signals.line import Line

SIGNED_AT_ONCE = 64
"""Then others have a turn: a signature keeps the process for some 30 us."""


async def send(line: Line, due: Due, sent: int, signer: SignalSigner, *, copies: bool) -> None:
    """Append, then send live copies. What has ended meanwhile is not worth a message.

    Of more than one batch only the last has copies: whoever sees those reads the stream for what came before, once.
    Raises NotTheEnd, StreamAway.
    """
    rows = [row for row in due.rows if row.ttl is None or row.ttl > 0]
    tokens = await _signed(due, rows, signer)
    if rows:
        await line.stream.append(line.sequence, [_message(row, token) for row, token in zip(rows, tokens, strict=True)])
        if copies:
            for sequence, (row, token) in enumerate(zip(rows, tokens, strict=True), line.sequence + 1):
                await line.stream.copy(_live(row.subject), token, {SEQUENCE: str(sequence)})
        line.sequence += len(rows)
    line.sent = sent


async def _signed(due: Due, rows: Sequence[Waiting], signer: SignalSigner) -> list[bytes]:
    tokens: list[bytes] = []
    for number, row in enumerate(rows, 1):
        feed = Feed(of_class=due.of_class, epoch=due.epoch, count=row.count)
        tokens.append((await signer.sign(row.fact, feed)).encode())
        if number % SIGNED_AT_ONCE == 0:
            await asyncio.sleep(0)
    return tokens


def _message(row: Waiting, token: bytes) -> Outgoing:
    return Outgoing(row.subject, token, {} if row.ttl is None else {"Nats-TTL": str(row.ttl)})


def _live(subject: str) -> str:
    return LIVE + subject.removeprefix(DURABLE)
