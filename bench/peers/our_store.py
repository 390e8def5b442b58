"""Our event store as a program of its own, to be held on one core: `append` with a sequencer beside it, or `project`.

Run as `python -m bench.peers.our_store`: it reads an Asked as JSON from its input and prints events per second as JSON.
"""

import asyncio
import sys
from time import perf_counter

import msgspec
import uvloop
from msgspec import Struct

from adapters.event_store import PostgresEventStore
from adapters.log_reader import LogReader
from bench.append import appends
from bench.sequencing import begun, ended, sequence
from workers.decoded import decoded
from workers.projector import MOST_EVENTS, Projector

WARM_UP = 0.5


class Asked(Struct, frozen=True, kw_only=True):
    url: str
    what: str
    writers: int
    seconds: float
    events: int


async def append(asked: Asked) -> dict[str, float]:
    sequencer = begun(sequence, asked.url)
    store = PostgresEventStore(asked.url)
    try:
        await appends(store, callers=asked.writers, seconds=WARM_UP)
        return {"append": (await appends(store, callers=asked.writers, seconds=asked.seconds)).per_second}
    finally:
        await store.close()
        await ended(sequencer)


async def project(asked: Asked) -> dict[str, float]:
    """Let every read model catch up with the log, then read the log without one."""
    projector, began = Projector(asked.url), perf_counter()
    try:
        await projector.begin()
        while await projector.step():
            pass
        took = perf_counter() - began
    finally:
        await projector.close()
    return {"projection": asked.events / took, "reading": asked.events / await _reading(asked)}


async def _reading(asked: Asked) -> float:
    reader, began, after = LogReader(asked.url), perf_counter(), 0
    try:
        while after < asked.events:
            page = await reader.read(after, MOST_EVENTS)
            _ = [decoded(event) for event in page.events]
            after = page.through
    finally:
        await reader.close()
    return perf_counter() - began


def main() -> None:
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=Asked)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        done = runner.run(append(asked) if asked.what == "append" else project(asked))
    sys.stdout.buffer.write(msgspec.json.encode(done))


if __name__ == "__main__":
    main()
