"""Entries of the log as bundles, in the layout of tlog-tiles."""

from pathlib import Path

from adapters.event_store_columns import stored_event
from adapters.leaves import leaf_bytes
from adapters.log_reader import LogBroken
from adapters.postgres_links import Links
from adapters.postgres_sql import statements
from domain.tree.nodes import TILE_WIDTH
from domain.tree.tiles import pack_entries

SQL = statements(Path(__file__).with_suffix(".sql"))


async def entries(links: Links, number: int, width: int = TILE_WIDTH) -> bytes:
    """Give the first `width` entries of a tile, which has to be within the log. What is not here any more, its payload pruned or its
    partition moved away, is an empty entry: its hash is in the tile.

    Raises StoreUnavailable; LogBroken where an event is missing that nobody moved away.
    """
    after = number * TILE_WIDTH
    found = {row[0]: stored_event(row) for row in await links.read(SQL["present"], after, after + width)}
    if len(found) < width:
        ((detached,),) = await links.read(SQL["detached"], after + 1, after + width)
        if len(found) + detached < width:
            raise LogBroken(f"events are missing between positions {after + 1} and {after + width}")
    at = (found.get(position) for position in range(after + 1, after + width + 1))
    return pack_entries(b"" if event is None or event.pruned else leaf_bytes(event) for event in at)
