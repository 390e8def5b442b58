"""Writes the histories of a share of the people, as a process of its own: reads a Share as JSON from its input, and writes on a line how
many people are in after each piece. Run by `bench.growth.filling`, with the settings of the authority in its environment."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import chain
from operator import attrgetter

import asyncpg
import msgspec
import uvloop
from msgspec import Struct

from adapters import settings_source
from adapters.cycles import no_search_for_cycles
from bench.growth.lives import EVENTS_EACH, Life, World, lived
from bench.growth.rows import Rows
from cli.authority import authority


class Share(Struct, frozen=True, kw_only=True):
    """Pieces of people, one after another of those that this filler takes: each is a range of numbers."""

    pieces: Sequence[tuple[int, int]]
    first_id: int
    """The append id of the first event of person 0: each has ten, so that everybody knows theirs."""
    began: datetime
    apart: float
    """Seconds from one person's first moment to the next one's."""
    encoded: str
    """The hash of everybody's password."""

    def __repr__(self) -> str:
        return f"Share(pieces={len(self.pieces)})"


async def fill(share: Share) -> None:
    """Copy piece by piece: while one is on its way to the database, nothing else is done, as the database has a core of its own."""
    async with authority(settings_source.load().settings) as opened:
        owner = opened.settings.migration_database_url
        assert owner is not None
        world = World(ports=opened.ports, wrapping=opened.opened.keks, encoded=share.encoded)
        connection = await asyncpg.connect(owner.reveal())
        await connection.execute("SET synchronous_commit = off")
        try:
            writing: asyncio.Task[None] | None = None
            for first, last in share.pieces:
                rows = await asyncio.to_thread(rows_of, share, first, last, world)
                if writing is not None:
                    await writing
                writing = asyncio.create_task(_written(rows, connection, last - first))
            if writing is not None:
                await writing
        finally:
            await connection.close()


async def _written(rows: Rows, connection: "asyncpg.Connection[asyncpg.Record]", people: int) -> None:
    await rows.copy_in(connection)
    sys.stdout.write(f"{people}\n")
    sys.stdout.flush()


def rows_of(share: Share, first: int, last: int, world: World) -> Rows:
    """Give all that people from `first` up to, not including, `last` did, in the order of time."""
    lives: list[Life] = [lived(number, share.began + timedelta(seconds=share.apart * number), world) for number in range(first, last)]
    rows = Rows(share.first_id + first * EVENTS_EACH)
    rows.add(sorted(chain.from_iterable(life.made for life in lives), key=attrgetter("at")))
    for life in lives:
        for keys in life.all_keys:
            rows.add_keys(keys.rows)
    if rows.next_id != share.first_id + last * EVENTS_EACH:
        raise ValueError(f"{last - first} people did not leave {EVENTS_EACH} events each")
    return rows


if __name__ == "__main__":
    with no_search_for_cycles(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(fill(msgspec.json.decode(sys.stdin.buffer.read(), type=Share)))
