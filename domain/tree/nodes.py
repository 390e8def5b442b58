"""Places of hashes: perfect subtrees, the tiles they are found in, and the ranges of entries they add up to."""

from collections.abc import Iterator
from typing import NamedTuple

from domain.tree.hashing import powers

TILE_HEIGHT = 8
TILE_WIDTH = 256


class Node(NamedTuple):
    """The root of the perfect subtree of 2**height entries that has this number among those of its height."""

    height: int
    number: int


class Slot(NamedTuple):
    """Where a node's hash is made from: `width` hashes from `first` on, in the tile at `level` of that number. A power of two."""

    level: int
    tile: int
    first: int
    width: int


def slot_of(node: Node) -> Slot:
    level, above = divmod(node.height, TILE_HEIGHT)
    tile, first = divmod(node.number << above, TILE_WIDTH)
    return Slot(level, tile, first, 1 << above)


def perfect_nodes(start: int, end: int) -> Iterator[Node]:
    """Give the perfect subtrees that entries `start` up to, not including, `end` consist of, from left to right.

    `start` is a multiple of the smallest power of two that is no less than their number: what RFC 6962 splits off always is.
    """
    for size in powers(end - start):
        yield Node(size.bit_length() - 1, start // size)
        start += size


def tile_widths(size: int) -> Iterator[tuple[int, int, int]]:
    """Give (level, number, width) of the partial tile of each level that has one, in a tree of `size` entries."""
    level, hashes = 0, size
    while hashes:
        number, width = divmod(hashes, TILE_WIDTH)
        if width:
            yield level, number, width
        level, hashes = level + 1, number
