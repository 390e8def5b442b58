"""The workers that follow a log while it is filled: the real ones, as processes of their own."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import asyncpg

from adapters.children import spawn, stop
from adapters.event_stream import EventStream
from adapters.nats_client import NatsConnection
from bench.running import minos

WORKERS = ("sequencer", "publisher", "integrator", "signaller")
"""Not the projector: what it would write row by row is rebuilt at once. Not the mailer: nobody waits for a letter of two months ago."""
_CAUGHT_UP_S = 1_800.0
_BEHIND = """
SELECT h.size, h.epoch,
       coalesce((SELECT max(k.size) FROM log_checkpoints k), 0) AS covered,
       coalesce((SELECT min(s.position) FROM projection_state s WHERE s.name = 'signals'), 0) AS told
FROM log_head h
"""
_WORD_S = 5.0


class Following:
    """What can be asked of them."""

    def __init__(self, url: str, nats: NatsConnection) -> None:
        self._url, self._nats = url, nats

    async def caught_up(self, events: int, told: Callable[[str], None]) -> None:
        """Wait until so many events have their position, are in the stream, under a checkpoint and in the signals.

        Tells now and then how far each is. Raises TimeoutError.
        """
        next_word = monotonic() + _WORD_S
        connection = await asyncpg.connect(self._url)
        try:
            async with asyncio.timeout(_CAUGHT_UP_S):
                await self._nats.connect()
                while True:
                    (row,) = await connection.fetch(_BEHIND)
                    stream = EventStream(self._nats.client, epoch=row["epoch"])
                    reached = {
                        "with a position": row["size"], "under a checkpoint": row["covered"], "in the signals": row["told"],
                        "in the stream": (await stream.open()).sequence,
                    }  # fmt: skip
                    if min(reached.values()) >= events:
                        return
                    if monotonic() >= next_word:
                        next_word = monotonic() + _WORD_S
                        told(f"of {events:,} events " + ", ".join(f"{count:,} {where}" for where, count in reached.items()))
                    await asyncio.sleep(0.2)
        finally:
            await connection.close()


@asynccontextmanager
async def followed(environment: Mapping[str, str], url: str, folder: Path) -> AsyncGenerator[Following]:
    """Run them as long as the block does. They wait for the schema by themselves."""
    nats = NatsConnection(environment["MINOS_NATS_URL"], credentials=Path(environment["MINOS_NATS_CREDENTIALS"]), name="minos-bench")
    with (folder / "followers.log").open("ab") as output:
        child = spawn([*minos(), "work", *WORKERS], cwd=folder, output=output, env=environment)
    try:
        yield Following(url, nats)
    finally:
        await stop(child)
        await nats.close()
