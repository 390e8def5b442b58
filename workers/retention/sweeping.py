"""Takes rows of pruned events out of the journals, as a rebuild would not write them either."""

from pathlib import Path

from adapters.postgres import Link
from adapters.postgres_sql import statements
from projections.catalogue import ALL
from projections.projection import Journal

SQL = statements(Path(__file__).with_suffix(".sql"))
POSITIONS = 2_000
"""Of a statement: a fraction of a second, however many of them were pruned."""

JOURNALS = [projection.name for projection in ALL if isinstance(projection, Journal)]


async def sweep(link: Link) -> int:
    """Give how many rows went. Raises StoreUnavailable.

    A journal that is being built may have read the log before it was pruned: then this is done again another time.
    """
    total = 0
    for partition in await link.fetch(SQL["unclean"]):
        ((being_built,),) = await link.fetch(SQL["being_built"], JOURNALS)
        for table in await link.fetch(SQL["tables"], JOURNALS):
            total += await _sweep(link, table["relname"], partition["first_position"] - 1, partition["last_position"])
        if not being_built:
            await link.fetch(SQL["clean"], partition["number"])
    return total


async def _sweep(link: Link, table: str, after: int, last: int) -> int:
    swept = 0
    while after < last:
        ((count,),) = await link.fetch(SQL["sweep"].format(table=table), after, POSITIONS, last)
        swept += count
        after += POSITIONS
    return swept
