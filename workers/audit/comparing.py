"""Entries as they are, held against the hashes that were stored of them: which differ, and which side is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.ids import StreamName
from domain.tree.nodes import TILE_WIDTH
from workers.audit.findings import Finding, Findings, Kind

_MOST = 10 * Findings.MOST


@dataclass(frozen=True, slots=True)
class Differs:
    """At a position the entry hashes to `made`, and the tile says `said`."""

    position: int
    stream: str
    version: int
    made: bytes
    said: bytes


class Comparer:
    """Collects what differs until a checkpoint tells which side was signed, and names it at the end."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._open: list[Differs] = []
        self._changed: list[Differs] = []
        self._shifted = False

    def differ(self, found: Sequence[Differs], made: Sequence[bytes], said: Sequence[bytes]) -> None:
        """Take what differs in a tile, whose hashes are given whole. Where one entry is gone and those behind it moved up, that is said."""
        at = next(at for at, (is_now, was) in enumerate(zip(made, said, strict=True)) if is_now != was)
        if self._shifted and made[:-1] == said[1:]:
            return
        if at + 2 < len(said) and made[at:-1] == said[at + 1 :]:
            self._shifted = True
            words = f"the entry of position {found[0].position} is not there, and all behind it moved up"
            self._findings.add(Finding(kind=Kind.ENTRY_MISSING, words=words, position=found[0].position))
            return
        self._open += found[: _MOST - len(self._open)]

    def settle(self, *, entries_are_signed: bool, up_to: int) -> None:
        """A checkpoint fits one of the two up to there: what differs from it is wrong."""
        for each in (each for each in self._open if each.position <= up_to):
            if entries_are_signed:
                tile, at = divmod(each.position - 1, TILE_WIDTH)
                words = f"hash {at} of tile {tile} of level 0 is not that of the entry at position {each.position}, which is as signed"
                self._findings.add(Finding(kind=Kind.TILE_CHANGED, words=words, position=each.position, tile=(0, tile)))
            elif len(self._changed) < _MOST:
                self._changed.append(each)
        self._open = [each for each in self._open if each.position > up_to]

    def end(self) -> None:
        self._changed += self._open[: _MOST - len(self._changed)]
        by_hash = {each.said: each for each in self._changed}
        for each in self._changed:
            other = by_hash.get(each.made)
            if other is None or other.made != each.said:
                words = (
                    f"the entry at position {each.position} (stream {each.stream}, version {each.version}) is not the one that was hashed"
                )
                self._add(Kind.ENTRY_CHANGED, words, each)
            elif each.position < other.position:
                words = f"the entries at positions {each.position} and {other.position} stand in each other's place"
                self._add(Kind.ENTRIES_SWAPPED, words, each)

    def _add(self, kind: Kind, words: str, at: Differs) -> None:
        self._findings.add(Finding(kind=kind, words=words, position=at.position, stream=StreamName(at.stream), version=at.version))
