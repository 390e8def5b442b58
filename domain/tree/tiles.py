"""Names of tiles as C2SP tlog-tiles writes them in a path, and the entries of one."""

import re
from collections.abc import Iterable, Iterator

from domain.tree.nodes import TILE_WIDTH

HIGHEST_LEVEL = 63
_NUMBER = re.compile(r"(?:x[0-9]{3}/){0,5}[0-9]{3}")
_WIDTH = re.compile(r"[1-9][0-9]{0,2}")


def tile_number(number: int) -> str:
    """Write the number of a tile: groups of three digits, all but the last with an `x` before."""
    groups = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        groups.insert(0, f"x{number % 1000:03d}")
    return "/".join(groups)


def tile_path(kind: int | str, number: int, width: int = TILE_WIDTH) -> str:
    """Write what follows the log's URL. `kind` is a level, or `entries`."""
    return f"tile/{kind}/{tile_number(number)}" + ("" if width == TILE_WIDTH else f".p/{width}")


def read_tile_number(text: str) -> tuple[int, int] | None:
    """Read `<N>[.p/<W>]` as number and width. None for what is not written in the one way there is."""
    written, partial, width = text.partition(".p/")
    if not _NUMBER.fullmatch(written) or (partial and not _WIDTH.fullmatch(width)):
        return None
    number = int(written.replace("x", "").replace("/", ""))
    wide = int(width) if partial else TILE_WIDTH
    if tile_number(number) != written or wide > TILE_WIDTH - bool(partial):
        return None
    return number, wide


def pack_entries(entries: Iterable[bytes]) -> bytes:
    """Write entries one after the other, each behind its length in two bytes. One that was pruned is empty."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def unpack_entries(packed: bytes) -> Iterator[bytes]:
    """Raises ValueError where it ends in the middle of one."""
    at = 0
    while at < len(packed):
        end = at + 2 + int.from_bytes(packed[at : at + 2], "big")
        if end > len(packed) or at + 2 > len(packed):
            raise ValueError("the entries end in the middle of one")
        yield packed[at + 2 : end]
        at = end
