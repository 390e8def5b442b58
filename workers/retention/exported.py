"""Looks whether an exported log has every entry of a partition, each as the tree has its hash."""

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from adapters.event_store_columns import stored_event
from adapters.leaves import leaf_bytes
from commands.ports import StoredEvent
from domain.tree.hashing import leaf_hash, split
from domain.tree.nodes import TILE_WIDTH
from domain.tree.tiles import tile_path, unpack_entries
from workers.retention.finding import NotAsHashed
from workers.retention.partitions import SQL, Connection, Partition, RetentionRefused

ROWS = 4_096


async def check_rows(connection: Connection, partition: Partition) -> int:
    """Hash every event that has its payload, and give how many there were. Raises NotAsHashed."""
    count = 0
    async for events, hashes in _pages(connection, partition):
        for event in events:
            position = event.position or 0
            if not event.pruned and leaf_hash(leaf_bytes(event)) != _hash_at(hashes, position):
                raise NotAsHashed(f"event {event.event_id} is not what the tree has at position {position}")
            count += 1
    return count


async def check_export(connection: Connection, partition: Partition, folder: Path) -> int:
    """Hash every entry of the partition as it lies in the folder, and give how many there were. Raises RetentionRefused."""
    count, held = 0, (-1, list[bytes]())
    async for events, hashes in _pages(connection, partition):
        for event in events:
            tile, place = divmod((event.position or 0) - 1, TILE_WIDTH)
            if tile != held[0]:
                held = tile, _entries(folder, tile)
            entry = held[1][place] if place < len(held[1]) else b""
            if not entry and not event.pruned:
                raise RetentionRefused(f"{folder} lacks the entry at position {event.position}")
            if entry and leaf_hash(entry) != _hash_at(hashes, event.position or 0):
                raise RetentionRefused(f"{folder} has another entry at position {event.position} than the tree")
            count += 1
    return count


def _entries(folder: Path, tile: int) -> list[bytes]:
    path = folder / tile_path("entries", tile)
    try:
        return list(unpack_entries(path.read_bytes()))
    except FileNotFoundError:
        raise RetentionRefused(f"{path} is not there: export the log first, `minos audit export`") from None
    except ValueError as error:
        raise RetentionRefused(f"{path}: {error}") from None


async def _pages(connection: Connection, partition: Partition) -> AsyncGenerator[tuple[Sequence[StoredEvent], dict[int, list[bytes]]]]:
    """Give events in the order of their ids, with the tiles they are in. Raises RetentionRefused for one in no full tile."""
    after = partition.low - 1
    while rows := await connection.fetch(partition.statement("rows"), after, ROWS):
        after = rows[-1]["append_id"]
        events = [stored_event(row) for row in rows]
        wanted = sorted({((event.position or 0) - 1) // TILE_WIDTH for event in events})
        hashes = {tile["tile"]: split(tile["hashes"]) for tile in await connection.fetch(SQL["tiles"], wanted)}
        if missing := [tile for tile in wanted if tile not in hashes]:
            raise RetentionRefused(f"tile {missing[0]} of the audit tree is not full yet: partition {partition.number} is still too young")
        yield events, hashes


def _hash_at(hashes: dict[int, list[bytes]], position: int) -> bytes:
    tile, place = divmod(position - 1, TILE_WIDTH)
    return hashes[tile][place]
