"""Read models of a log that was filled: rebuilt as an operator would."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import asyncpg
import structlog
import uvloop

from projections import generations
from projections.catalogue import BY_NAME
from workers.rebuild import Rebuilt, rebuild


async def rebuilt_all(url: str, names: Sequence[str], told: Callable[[str], None], *, at_once: int) -> Mapping[str, float]:
    """Rebuild each, some at a time, and let the empty ones go that stood before. Give events a second of each."""
    rates: dict[str, float] = {}
    with ProcessPoolExecutor(at_once, mp_context=get_context("spawn")) as pool:
        begun = [asyncio.get_running_loop().run_in_executor(pool, _rebuilt, url, name) for name in names]
        for each in asyncio.as_completed(begun):
            done = await each
            rates[done.name] = done.events / done.seconds
            told(f"rebuilt {done.name}: {done.events:,} events in {done.seconds:.1f} s")
    await _without_earlier(url)
    return {name: rates[name] for name in names}


def _rebuilt(url: str, name: str) -> Rebuilt:
    """As `minos projections rebuild`, in a process that does others after it."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(rebuild(url, name, gently=False))


async def _without_earlier(url: str) -> None:
    """Every generation that is kept up to date is written to: those that never had anything in them would have to be filled, too."""
    connection = await asyncpg.connect(url)
    try:
        for row in await connection.fetch("SELECT name, previous FROM projection_active WHERE previous IS NOT NULL"):
            async with connection.transaction():
                await generations.drop(connection, BY_NAME[row["name"]], row["previous"])
                await connection.execute("UPDATE projection_active SET previous = NULL WHERE name = $1", row["name"])
    finally:
        await connection.close()
