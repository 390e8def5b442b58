"""The log as a tiled transparency log (C2SP tlog-tiles): what tools of others read, by the addresses they know.

Hashes are for everybody; entries for those who may read the log.
"""

from pathlib import Path
from typing import Annotated

from litestar import Controller, Response, get
from litestar.params import PathParameter

from adapters.log_entries import entries
from adapters.tree_store import StoredCheckpoint
from api.asking import Asking
from api.refuse import refuses
from domain import errors
from domain.tree.nodes import TILE_WIDTH
from domain.tree.tiles import HIGHEST_LEVEL, read_tile_number

TEXT = "text/plain"
"""The framework says the character set."""
BYTES = "application/octet-stream"
_FOR_GOOD = "max-age=31536000, immutable"
CHECKPOINT_MAX_AGE = 1

Epoch = Annotated[int, PathParameter(ge=2, le=2**31 - 1, description="The log's epoch; the first has no number in its address.")]
Level = Annotated[int, PathParameter(ge=0, le=HIGHEST_LEVEL)]
Tile = Annotated[
    Path, PathParameter(description="`<N>` in groups of three digits, as `x001/x234/067`, and `.p/<W>` for a partial tile of so many.")
]

_NO_CHECKPOINT = refuses(errors.LogNotPublic, errors.NoCheckpoint, errors.NotWitnessed)
_NO_TILE = refuses(errors.LogNotPublic, errors.NoSuchTile)
_NO_ENTRIES = refuses(errors.InvalidToken, errors.PermissionDenied, errors.NoSuchTile)


class Log(Controller):
    path = "/log"
    tags = ("log",)

    @get(
        "/checkpoint",
        operation_id="readCheckpoint",
        summary="The newest checkpoint of the log",
        description="Its origin, size and root hash, signed (C2SP tlog-checkpoint), and cosigned by witnesses where the log has some: then "
        "the newest that their quorum cosigned. Of the log's first epoch.",
        responses=_NO_CHECKPOINT,
        opt={"content": TEXT},
    )
    async def checkpoint(self, request: Asking) -> Response[bytes]:
        return await _checkpoint(request, 1)

    @get(
        "/tile/{level:int}/{tile:path}",
        operation_id="readTile",
        summary="Hashes of the log's tree",
        description="Up to 256 hashes of 32 bytes: of entries (level 0), or of full tiles of the level below (C2SP tlog-tiles).",
        responses=_NO_TILE,
        opt={"content": BYTES},
    )
    async def tile(self, request: Asking, level: Level, tile: Tile) -> Response[bytes]:
        return await _tile(request, 1, level, tile)

    @get(
        "/tile/entries/{tile:path}",
        operation_id="readEntries",
        summary="Entries of the log",
        description="Up to 256, each behind its length in two bytes. What retention took is empty: its hash is in the tile of level 0.",
        responses=_NO_ENTRIES,
        opt={"content": BYTES},
    )
    async def entries(self, request: Asking, tile: Tile) -> Response[bytes]:
        return await _entries(request, 1, tile)


class LogOfEpoch(Controller):
    path = "/log/{epoch:int}"
    tags = ("log",)

    @get(
        "/checkpoint",
        operation_id="readCheckpointOfEpoch",
        summary="The newest checkpoint of a later epoch of the log",
        responses=_NO_CHECKPOINT,
        opt={"content": TEXT},
    )
    async def checkpoint(self, request: Asking, epoch: Epoch) -> Response[bytes]:
        return await _checkpoint(request, epoch)

    @get(
        "/tile/{level:int}/{tile:path}",
        operation_id="readTileOfEpoch",
        summary="Hashes of the tree of a later epoch of the log",
        responses=_NO_TILE,
        opt={"content": BYTES},
    )
    async def tile(self, request: Asking, epoch: Epoch, level: Level, tile: Tile) -> Response[bytes]:
        return await _tile(request, epoch, level, tile)

    @get(
        "/tile/entries/{tile:path}",
        operation_id="readEntriesOfEpoch",
        summary="Entries of a later epoch of the log",
        responses=_NO_ENTRIES,
        opt={"content": BYTES},
    )
    async def entries(self, request: Asking, epoch: Epoch, tile: Tile) -> Response[bytes]:
        return await _entries(request, epoch, tile)


async def _checkpoint(request: Asking, epoch: int) -> Response[bytes]:
    served = await request.world.quorum.served(await newest_public(request, epoch))
    if served is None:
        raise errors.NotWitnessed
    return Response(served.note.encode(), media_type=TEXT, headers={"Cache-Control": f"public, max-age={CHECKPOINT_MAX_AGE}"})


async def newest_public(request: Asking, epoch: int | None) -> StoredCheckpoint:
    """Raises LogNotPublic, NoCheckpoint."""
    if not request.world.settings.log_public:
        raise errors.LogNotPublic
    newest = await request.world.tree.newest(epoch)
    if newest is None:
        raise errors.NoCheckpoint
    return newest


async def _tile(request: Asking, epoch: int, level: int, tile: Path) -> Response[bytes]:
    if not request.world.settings.log_public:
        raise errors.LogNotPublic
    number, width = await _covered(request, epoch, level, tile)
    hashes = await request.world.tree.tile(level, number, width)
    if hashes is None:
        raise errors.NoSuchTile
    return Response(hashes, media_type=BYTES, headers={"Cache-Control": f"public, {_FOR_GOOD}"})


async def _entries(request: Asking, epoch: int, tile: Path) -> Response[bytes]:
    number, width = await _covered(request, epoch, 0, tile)
    packed = await entries(request.world.tree.links, number, width)
    return Response(packed, media_type=BYTES, headers={"Cache-Control": f"private, {_FOR_GOOD}"})


async def _covered(request: Asking, epoch: int, level: int, tile: Path) -> tuple[int, int]:
    """Give number and width of a tile that is under a checkpoint: what is not could still be another. Raises NoSuchTile."""
    found = read_tile_number(str(tile).removeprefix("/"))
    newest = await request.world.tree.newest(epoch)
    if found is None or newest is None:
        raise errors.NoSuchTile
    number, width = found
    if (number * TILE_WIDTH + width) * TILE_WIDTH**level > newest.size:
        raise errors.NoSuchTile
    return number, width
