"""One tile's entries held against its hashes, and the tiles above against those below."""

from collections.abc import Sequence

from minos_sdk.audit.bundle import Bundle, Unreadable
from minos_sdk.audit.findings import Finding, Findings, Kind
from minos_sdk.audit.hashing import WIDTH, full_root


class Upper:
    """Tiles of level 1 and above: each hash in them is over a full tile below."""

    def __init__(self, bundle: Bundle, findings: Findings) -> None:
        self._bundle = bundle
        self._findings = findings
        self._levels: list[list[bytes]] = []
        self._done: list[int] = []

    def add(self, root: bytes, level: int = 1) -> None:
        """Take the root over the next full tile of the level below."""
        if len(self._levels) < level:
            self._levels.append([])
            self._done.append(0)
        hashes = self._levels[level - 1]
        hashes.append(root)
        if len(hashes) == WIDTH:
            self._compare(level, hashes)
            self._levels[level - 1] = []
            self._done[level - 1] += 1
            self.add(full_root(hashes), level + 1)

    def end(self) -> None:
        """Compare those that are not full."""
        for level, hashes in enumerate(self._levels, 1):
            if hashes:
                self._compare(level, hashes)

    def said_above(self, number: int, size: int) -> bytes | None:
        """Give what level 1 says the root over a full tile of level 0 is; None where it cannot be read."""
        parent, at = divmod(number, WIDTH)
        try:
            return self._bundle.hashes(1, parent, min(WIDTH, size // WIDTH - parent * WIDTH))[at]
        except Unreadable:
            return None

    def _compare(self, level: int, hashes: Sequence[bytes]) -> None:
        number = self._done[level - 1]
        try:
            stored = self._bundle.hashes(level, number, len(hashes))
        except Unreadable as error:
            self._findings.add(Finding(kind=Kind.TILE_MISSING, words=str(error), tile=(level, number), path=error.path))
            return
        for at, (made, said) in enumerate(zip(hashes, stored, strict=True)):
            if made != said:
                below = number * WIDTH + at
                words = f"hash {at} of tile {number} of level {level} is not the root over tile {below} of level {level - 1}"
                self._findings.add(Finding(kind=Kind.TILE_CHANGED, words=words, tile=(level, number)))


class Comparer:
    """Says of a tile's entries which are not those that were hashed, and which side is wrong."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._shift = 0
        self._crossed: list[tuple[Finding, bytes, bytes]] = []

    def compare(self, number: int, made: Sequence[bytes], said: Sequence[bytes], *, signed: bool) -> Sequence[bytes]:
        """Give the hashes to go on with. `signed` tells that what is above this tile was made of the entries as they are."""
        first = number * WIDTH + 1
        if len(made) < len(said) or (self._shift and made[: -self._shift] == said[self._shift :]) or _is_shifted(made, said):
            self._missing(first, made, said)
            return said
        wrong = [at for at, (is_now, was) in enumerate(zip(made, said, strict=False)) if is_now != was]
        if signed:
            for at in wrong:
                words = f"hash {at} of tile {number} of level 0 is not that of the entry at position {first + at}, which is as signed"
                self._findings.add(Finding(kind=Kind.TILE_CHANGED, words=words, position=first + at, tile=(0, number)))
            return made
        for at in wrong:
            words = f"the entry at position {first + at} is not the one that was hashed"
            finding = Finding(kind=Kind.ENTRY_CHANGED, words=words, position=first + at, tile=(0, number))
            self._findings.add(finding)
            if len(self._crossed) < Findings.MOST:
                self._crossed.append((finding, made[at], said[at]))
        return said

    def end(self) -> None:
        """Say of two entries that stand in each other's place just that."""
        places = {said: (finding, made) for finding, made, said in self._crossed}
        for finding, made, said in self._crossed:
            other, its_own = places.get(made, (finding, b""))
            if its_own == said and (finding.position or 0) < (other.position or 0):
                words = f"the entries at positions {finding.position} and {other.position} stand in each other's place"
                self._findings.replace([finding, other], Finding(kind=Kind.ENTRIES_SWAPPED, words=words, position=finding.position))

    def _missing(self, first: int, made: Sequence[bytes], said: Sequence[bytes]) -> None:
        """Say which entry is not there; that all behind it moved up is no further fault."""
        if self._shift:
            return
        at = next((at for at, (is_now, was) in enumerate(zip(made, said, strict=False)) if is_now != was), len(made))
        self._shift = max(1, len(said) - len(made))
        last = first + at + self._shift - 1
        where = f"position {first + at}" if self._shift == 1 else f"positions {first + at} to {last}"
        self._findings.add(Finding(kind=Kind.ENTRY_MISSING, words=f"the entry at {where} is not there", position=first + at))


def _is_shifted(made: Sequence[bytes], said: Sequence[bytes]) -> bool:
    """Tell whether one entry was taken out and all behind it moved up."""
    at = next((at for at, (is_now, was) in enumerate(zip(made, said, strict=False)) if is_now != was), len(made))
    return at + 2 < len(said) and made[at:-1] == said[at + 1 :]
