"""Takes back what is stored of the tree and was never published, so that the integrator makes it anew from the entries.

Whoever has the serving role's password can store tiles ahead of the integrator, and checkpoints that nobody signed; it halts over them.
Nothing is lost by taking back: a tile is a function of the log, and a checkpoint that the log's key signed stays.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import structlog
from msgspec import Struct

from adapters import log_epochs, published
from adapters.checkpoint_key import LogName, read_log_name, verified
from adapters.postgres import CONNECT_SECONDS
from adapters.postgres_connect import connect
from adapters.postgres_links import Links
from adapters.postgres_sql import statements
from adapters.second_place import SecondPlace
from domain.tree.checkpoint import BadCheckpoint
from workers.integrator.judging import Refused, judge

SQL = statements(Path(__file__).with_suffix(".sql"))
PAGE = 500
Place: TypeAlias = tuple[int, int]
"""Of a checkpoint: epoch and size."""

log = structlog.stdlib.get_logger()


class TakenBack(Struct, frozen=True, kw_only=True):
    """Of the tiles those behind the first `known` entries, and of the checkpoints those that the log's key did not sign. `refused`: why
    the integrator does not go on nevertheless."""

    known: int
    tiles: int
    checkpoints: int
    refused: str | None = None


async def take_back(url: str, place: SecondPlace, *, everything: bool = False, dry: bool = False) -> TakenBack:
    """Take back what goes beyond the checkpoint in the second place; with `everything` all tiles whose entries are there, and look at every
    checkpoint. `dry`: only see what that would be. `url` is the owner role's: no other may.

    Raises Refused where the database lost the log's key, PlaceAway, StoreUnavailable, and what the database raises.
    """
    links = Links(url, size=1)
    try:
        ((epoch,),) = await links.read(SQL["epoch"])
        name = await read_log_name(links)
        if name is None and await links.read(SQL["epochs"]):
            raise Refused("the database has checkpoints, and no key of the log: which of them are signed cannot be told")
        above = await _published(name, place, epoch)
        known = 0 if everything else above[epoch] or await _agreed(links, epoch)
        looked_at = dict.fromkeys([row[0] for row in await links.read(SQL["epochs"])], 0) if everything else above
        unsigned = [each async for each in _unsigned(links, name, looked_at)]
        tiles, checkpoints = await _take_back(url, known, unsigned, dry=dry)
        if dry:
            return TakenBack(known=known, tiles=tiles, checkpoints=checkpoints)
        log.warning("log_tree_taken_back", size=known, count=tiles)
        return TakenBack(known=known, tiles=tiles, checkpoints=checkpoints, refused=await _refused(links, name, place, epoch))
    finally:
        await links.close()


async def _published(name: LogName | None, place: SecondPlace, epoch: int) -> dict[int, int]:
    """Give the size of the newest checkpoint of each epoch that the second place has one of, and of this one. Raises PlaceAway."""
    found = {epoch: 0}
    for each in await published.epochs_of(place):
        last = await published.of_epoch(place, each)
        found[each] = (last and name and _signed_size(name, each, last.note)) or 0
    return found


def _signed_size(name: LogName, epoch: int, note: str) -> int | None:
    """None where the log's key did not sign it."""
    try:
        return verified(note, name.verifier(epoch)).size
    except BadCheckpoint:
        return None


async def _agreed(links: Links, epoch: int) -> int:
    """Give how much of an epoch of which nothing was published is in the tiles of the one before."""
    opened = await log_epochs.opened(links, epoch)
    return opened.agreed if opened else 0


async def _unsigned(links: Links, name: LogName | None, above: Mapping[int, int]) -> AsyncGenerator[Place]:
    """Give the checkpoints behind these sizes of these epochs whose columns the log's key did not sign."""
    last = (0, 0)
    while rows := await links.read(SQL["checkpoints"], list(above), list(above.values()), *last, PAGE):
        last = rows[-1]["epoch"], rows[-1]["size"]
        for row in rows:
            if name is None or _signed_size(name, row["epoch"], row["note"]) != row["size"]:
                yield row["epoch"], row["size"]


async def _take_back(url: str, known: int, unsigned: Sequence[Place], *, dry: bool) -> tuple[int, int]:
    """Give how many tiles, and how many checkpoints."""
    connection = await connect(url, timeout=CONNECT_SECONDS)
    try:
        transaction = connection.transaction()
        await transaction.start()
        row = await connection.fetchrow(SQL["take_back"], known, [epoch for epoch, _ in unsigned], [size for _, size in unsigned])
        await (transaction.rollback() if dry else transaction.commit())
    finally:
        await connection.close(timeout=CONNECT_SECONDS)
    return (0, 0) if row is None else (row["tiles"], row["checkpoints"])


async def _refused(links: Links, name: LogName | None, place: SecondPlace, epoch: int) -> str | None:
    """Tell what still keeps the integrator from going on; whether the tree is the one that was published it sees once it has grown."""
    try:
        if name is not None:
            await judge(name, place, links, epoch)
    except Refused as refused:
        return str(refused)
    return None
