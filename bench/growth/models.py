"""Read models of a log that was filled: rebuilt as an operator would."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence

import asyncpg
import msgspec

from bench.growth.children import child
from projections import generations
from projections.catalogue import BY_NAME
from workers.rebuild import Rebuilt


async def rebuilt_all(url: str, names: Sequence[str], told: Callable[[str], None], *, at_once: int) -> Mapping[str, float]:
    """Rebuild each, some at a time, and let the empty ones go that stood before. Give events a second of each."""
    rates: dict[str, float] = {}
    left = iter(names)

    def note(done: Rebuilt) -> None:
        rates[done.name] = done.events / done.seconds
        told(f"rebuilt {done.name}: {done.events:,} events in {done.seconds:.1f} s")

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(_rebuilt(url, left, note))
    await _without_earlier(url)
    return {name: rates[name] for name in names}


async def _rebuilt(url: str, left: Iterator[str], note: Callable[[Rebuilt], None]) -> None:
    """Rebuild one after the other of those that are left."""
    async with child("bench.growth.rebuilder") as rebuilder:
        await rebuilder.give(f"{url}\n".encode())
        for name in left:
            await rebuilder.give(f"{name}\n".encode())
            note(msgspec.json.decode(await rebuilder.line(), type=Rebuilt))


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
