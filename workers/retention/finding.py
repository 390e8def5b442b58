"""Finds the payloads of a stretch of ids that nothing misses: activity that was overtaken, of streams that are over."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from adapters.event_store import PostgresEventStore
from adapters.event_store_columns import stored_event
from adapters.leaves import leaf_bytes
from commands.ports import StoredEvent
from commands.transact import folded
from domain import session
from domain.ids import StreamName
from domain.retention import ACTIVITY, FOLLOWING, is_overtaken, over_since
from domain.tree.hashing import HASH_BYTES, leaf_hash
from domain.tree.nodes import TILE_WIDTH
from workers.retention.partitions import SQL, Connection, Partition

HEADS_AT_ONCE = 500


class NotAsHashed(Exception):
    """An event is not what the tree has at its place. Its payload stays: it is evidence. The message says which."""


class Finder:
    """What may go: nothing of a stream alive at `over_before`, nothing recorded since, and nothing behind `provable`, which no tile has."""

    def __init__(self, connection: Connection, store: PostgresEventStore, *, over_before: datetime, provable: int) -> None:
        self._connection = connection
        self._store = store
        self._over_before = over_before
        self._provable = provable

    async def found(self, partition: Partition, after: int, through: int) -> Sequence[int]:
        """Give ids, of those after `after` up to `through`. Raises NotAsHashed."""
        rows = await self._connection.fetch(
            partition.statement("activity"), after, through, list(ACTIVITY), self._over_before, list(FOLLOWING)
        )
        overtaken = [stored_event(row) for row in rows if is_overtaken(row["following"]) and row["position"] <= self._provable]
        over = await self._over({event.stream for event in overtaken})
        going = [event for event in overtaken if event.stream in over]
        await self._as_hashed(going)
        return [event.append_id for event in going]

    async def _over(self, streams: Iterable[StreamName]) -> set[StreamName]:
        wanted = sorted(streams)
        over: set[StreamName] = set()
        for at in range(0, len(wanted), HEADS_AT_ONCE):
            for head in (await self._store.load(wanted[at : at + HEADS_AT_ONCE])).heads:
                since = over_since(await folded(self._store, head, session.decider))
                if since is not None and since < self._over_before:
                    over.add(head.stream)
        return over

    async def _as_hashed(self, events: Sequence[StoredEvent]) -> None:
        """What goes must be what was hashed: else pruning would do away with a forgery, and with what shows it."""
        if not events:
            return
        wanted = sorted({(event.position or 0) - 1 for event in events})
        tiles = await self._connection.fetch(SQL["tiles"], sorted({index // TILE_WIDTH for index in wanted}))
        hashes = {tile["tile"]: tile["hashes"] for tile in tiles}
        for event in events:
            tile, index = divmod((event.position or 0) - 1, TILE_WIDTH)
            if leaf_hash(leaf_bytes(event)) != hashes[tile][index * HASH_BYTES : (index + 1) * HASH_BYTES]:
                raise NotAsHashed(f"event {event.event_id} is not what the tree has at position {event.position}; see `minos audit verify`")
