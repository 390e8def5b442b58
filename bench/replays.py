"""How fast the log is replayed as JSON lines, sealed fields shown to be sealed."""

import asyncio
import subprocess
from pathlib import Path
from time import perf_counter
from typing import IO

from adapters.cycles import no_search_for_cycles
from adapters.in_turns import in_turns
from adapters.log_reader import READ_SECONDS
from adapters.log_walk import LogFilter, LogWalk, stretch
from adapters.postgres import Link
from adapters.replay_lines import sealed_lines
from bench.scale import Measuring
from cli.audit_actions.replay import PAGE


async def measure(url: str, measuring: Measuring) -> None:
    """Replay all there is, as `minos audit replay` does: to nowhere, and to another program that reads it."""
    nowhere = await asyncio.to_thread(Path("/dev/null").open, "wb")
    with nowhere:
        to_nowhere = await _replayed(url, nowhere)
    reader = await asyncio.to_thread(subprocess.Popen, ["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert reader.stdin is not None
    to_pipe = await _replayed(url, reader.stdin)
    reader.stdin.close()
    await asyncio.to_thread(reader.wait)
    measuring.rounds.add(replay_nowhere=to_nowhere, replay_pipe=to_pipe)


async def _replayed(url: str, out: IO[bytes]) -> float:
    """Give events a second."""
    link = Link(url, seconds=READ_SECONDS)
    began, events = perf_counter(), 0
    try:
        of = await stretch(link, after=0)
        with no_search_for_cycles():
            async for page in LogWalk(link, LogFilter(), page=PAGE).pages(of):
                async for some in in_turns(page.events):
                    out.write(sealed_lines(some, epoch=of.epoch))
                events += len(page.events)
        out.flush()
    finally:
        await link.close()
    return events / (perf_counter() - began)
