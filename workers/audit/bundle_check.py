"""A bundle read back from the files as they are, before it is called one."""

from base64 import b64decode
from collections.abc import Callable
from hashlib import sha256

from domain.tree.hashing import leaf_hash, perfect_root, split
from domain.tree.nodes import TILE_HEIGHT, TILE_WIDTH
from domain.tree.tiles import tile_path, unpack_entries
from workers.audit.bundle import Folder, Manifest, NotExported
from workers.audit.frontier import Frontier


def check(folder: Folder, manifest: Manifest, progress: Callable[[int], None]) -> None:
    """Raises NotExported where entries, tiles, digests and the root do not fit each other."""
    tree = Frontier()
    for part in manifest.parts:
        digest = sha256()
        for number in range((part.first - 1) // TILE_WIDTH, -(-part.last // TILE_WIDTH)):
            width = min(TILE_WIDTH, part.last - number * TILE_WIDTH)
            hashes = split(folder.read(tile_path(0, number, width)))
            digest.update(_entries(folder, number, hashes))
            if width == TILE_WIDTH:
                tree.add(perfect_root(hashes), TILE_HEIGHT)
            else:
                tree.add_all(hashes)
            progress(number * TILE_WIDTH + width)
        if digest.hexdigest() != part.sha256:
            raise NotExported(f"the entries at positions {part.first} to {part.last} are not what was written: export into another folder")
    if tree.root() != b64decode(manifest.root):
        raise NotExported("the tree over what was exported has another root than the checkpoint: see `minos audit verify`")


def _entries(folder: Folder, number: int, hashes: list[bytes]) -> bytes:
    packed = folder.read(tile_path("entries", number, len(hashes)))
    try:
        entries = list(unpack_entries(packed))
    except ValueError:
        entries = []
    if len(entries) != len(hashes) or any(entry and leaf_hash(entry) != said for entry, said in zip(entries, hashes, strict=False)):
        raise NotExported(f"tile {number} of the entries does not fit its hashes: export into another folder")
    return packed
