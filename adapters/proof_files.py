"""One event, proved to be in the log, in a file that needs nothing else: it is handed on to whoever has the log's key (C2SP tlog-proof)."""

from pathlib import Path

from msgspec import Struct

from adapters.leaves import leaf_bytes
from adapters.log_reader import SQL as LOG_SQL
from adapters.log_reader import LogBroken, page_of
from adapters.postgres_links import Links
from adapters.postgres_sql import statements
from adapters.tree_store import StoredCheckpoint, TreeStore
from commands.ports import StoredEvent
from domain.errors import NoSuchEvent, NotYetProved
from domain.ids import EventId
from domain.tree.checkpoint import Proof, write_proof
from domain.tree.hashing import leaf_hash
from domain.tree.proofs import ProofInvalid, check_inclusion

SQL = statements(Path(__file__).with_suffix(".sql"))


class ProofFile(Struct, frozen=True, kw_only=True):
    """`text` is the file. `size`: of the checkpoint it leads to. The entry is in it unless retention has taken the event's payload."""

    position: int
    epoch: int
    size: int
    has_entry: bool
    text: str


async def proof_file(links: Links, position: int) -> ProofFile:
    """Prove the event at a position under the newest checkpoint, and check that before it is given away.

    Raises NoSuchEvent, NotYetProved, StoreUnavailable; LogBroken where the event is not the one that was hashed.
    """
    tree, event = TreeStore(links), await _event(links, position)
    checkpoint = await tree.newest()
    if checkpoint is None or checkpoint.size < position:
        raise NotYetProved
    entry = b"" if event.pruned else leaf_bytes(event)
    [leaf] = [leaf_hash(entry)] if entry else await tree.leaf_hashes(position - 1, 1)
    path = await tree.inclusion(position - 1, checkpoint.size)
    _check(path, position, leaf, checkpoint)
    written = write_proof(Proof(index=position - 1, path=tuple(path), note=checkpoint.note), extra=entry)
    return ProofFile(position=position, epoch=checkpoint.epoch, size=checkpoint.size, has_entry=bool(entry), text=written)


async def position_of(links: Links, event_id: EventId) -> int:
    """Look an event up by its id, in the log itself: no index leads there, and all of it may be read. Raises NoSuchEvent."""
    rows = await links.read(SQL["position_of"], event_id)
    if not rows or rows[0][0] is None:
        raise NoSuchEvent
    return int(rows[0][0])


async def _event(links: Links, position: int) -> StoredEvent:
    page = page_of(await links.read(LOG_SQL["read_log"], position - 1, 1), position - 1, 1)
    if not page.events:
        raise NoSuchEvent
    return page.events[0]


def _check(path: list[bytes], position: int, leaf: bytes, checkpoint: StoredCheckpoint) -> None:
    try:
        check_inclusion(path, index=position - 1, size=checkpoint.size, leaf=leaf, root=checkpoint.root)
    except ProofInvalid as error:
        raise LogBroken(f"the event at position {position} is not the one whose hash was signed: {error}") from None
