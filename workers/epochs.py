"""Opens an epoch of the log: after a restore, or wherever what was published of the log is not what the database holds.

The log goes on with all it has, under another name and from the same positions, and its first new entry says so. Killed at any moment,
either nothing was done, or the epoch before is closed in the second place and not in the database: then it is opened again.
"""

import asyncio

import structlog
from msgspec import Struct

from adapters import published
from adapters.checkpoint_key import read_log_name, verified
from adapters.postgres import CONNECT_SECONDS, Connection
from adapters.postgres_connect import connect
from adapters.postgres_links import Links
from adapters.published import Published
from adapters.second_place import PlaceChanged, SecondPlace
from adapters.tree_store import SQL, TreeStore
from domain import log
from domain.log import EpochOpened, EpochReason, LastPublished, Origin, Root
from domain.tree.checkpoint import BadCheckpoint, Checkpoint, read_checkpoint
from domain.tree.note import BadNote, VerifierKey, read_note
from workers.log_stream import tell

SECONDS = 3600.0
ATTEMPTS = 5
ACTOR = "system:cli"

_log = structlog.stdlib.get_logger()


class CannotOpen(Exception):
    """The epoch cannot be opened, and nothing was done. The message tells the operator."""


class Opened(Struct, frozen=True, kw_only=True):
    """The log has `size` events now, the last of them `event`; `added` had no position before, that one included."""

    added: int
    size: int
    epoch: int
    event: EpochOpened


async def open_epoch(url: str, place: SecondPlace, reason: EpochReason) -> Opened:
    """Give everything a position, and begin the next epoch with an entry that cites what was published last. Writers wait meanwhile.

    `url` is the owner role's: no other may. Raises CannotOpen, PlaceAway, and what the database raises.
    """
    links = Links(url, size=1)
    connection = await connect(url, timeout=CONNECT_SECONDS)
    try:
        async with asyncio.timeout(SECONDS):
            for _ in range(ATTEMPTS):
                kept = await published.newest(place)
                last = kept or await _kept_here(links)
                agreed = 0 if last is None else await _agreed(links, last)
                try:
                    return await _open(connection, place if kept else None, last, agreed, reason)
                except PlaceChanged:  # an integrator was quicker: cite what it published
                    continue
        raise CannotOpen("others publish checkpoints of this log all the time: stop them first")
    finally:
        await connection.close(timeout=CONNECT_SECONDS)
        await links.close()


async def _open(connection: Connection, place: SecondPlace | None, last: Published | None, agreed: int, reason: EpochReason) -> Opened:
    """`place`: where the last epoch is to be closed, None where it is not there any more."""
    async with connection.transaction():
        held = await connection.fetchrow("SELECT size, epoch, unnumbered FROM hold_log()")
        if held is None:
            raise CannotOpen("there is no log")
        earlier = None if last is None else _cited(last)
        kept, known = held["size"] + held["unnumbered"], max(held["epoch"], 0 if last is None else last.epoch)
        (event,) = await tell(
            connection,
            lambda state, at: log.open_epoch(
                state, epoch=max(known, state.epoch) + 1, reason=reason, kept=kept, agreed=agreed, earlier=earlier, at=at
            ),
            actor=ACTOR,
        )
        assert isinstance(event, EpochOpened)  # noqa: S101 - for the type checkers: it was decided three lines above
        step = await connection.fetchrow("SELECT added, size, epoch FROM resequence($1)", event.epoch)
        if step is None or (step["size"], step["epoch"]) != (kept + 1, event.epoch):
            raise CannotOpen("the log changed while it was held")
        if last is not None and place is not None:
            await published.close_epoch(place, last)
    opened = Opened(added=step["added"], size=step["size"], epoch=step["epoch"], event=event)
    _log.warning("log_epoch_opened", added=opened.added, size=opened.size, epoch=opened.epoch)
    return opened


async def _kept_here(links: Links) -> Published | None:
    """Give what was published last as the database knows it, for when the second place was lost: that there was nothing is not said."""
    stored, name = await TreeStore(links).newest(), await read_log_name(links)
    if stored is None or name is None:
        return None
    try:
        verified(stored.note, name.verifier(stored.epoch))
    except BadCheckpoint:
        return None
    return Published(epoch=stored.epoch, note=stored.note, closed=False, version="")


async def _agreed(links: Links, last: Published) -> int:
    """Give the newest published size at which the earlier log is the beginning of this one: found by halving, since what agrees at one
    size agrees at every smaller one."""
    store, name = TreeStore(links), await read_log_name(links)
    if name is None:
        return 0
    key = name.verifier(last.epoch)
    if await _agrees(store, last.note, key):
        return _read(last.note).size
    agreed, low, high = 0, 0, _read(last.note).size - 1
    while low < high:
        middle = (low + high + 1) // 2
        rows = await links.read(SQL["newest_within"], last.epoch, low, middle)
        if not rows:
            low = middle
        elif await _agrees(store, rows[0][1], key):
            agreed, low = rows[0][0], middle
        else:
            high = rows[0][0] - 1
    return agreed


async def _agrees(store: TreeStore, note: str, key: VerifierKey) -> bool:
    try:
        checkpoint = verified(note, key)
        return await store.root(checkpoint.size) == checkpoint.root
    except (BadCheckpoint, ValueError):
        return False


def _cited(last: Published) -> LastPublished:
    checkpoint = _read(last.note)
    return LastPublished(origin=Origin(checkpoint.origin), size=checkpoint.size, root=Root(checkpoint.encoded_root))


def _read(note: str) -> Checkpoint:
    try:
        return read_checkpoint(read_note(note).text)
    except (BadNote, BadCheckpoint) as bad:
        raise CannotOpen(f"the second place has what is no checkpoint: {bad}; move it away") from bad
