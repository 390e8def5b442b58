"""The tree over the entries so far, in the space of one path: enough to say its root after any of them."""

from collections.abc import Iterable, Sequence

from domain.tree.hashing import joined, node_hash


class Frontier:
    """Roots of the complete subtrees that the tree ends in, the largest first."""

    __slots__ = ("_peaks",)

    def __init__(self, peaks: Iterable[tuple[int, bytes]] = ()) -> None:
        self._peaks = list(peaks)

    def copy(self) -> "Frontier":
        return Frontier(self._peaks)

    def add(self, subtree: bytes, height: int = 0) -> None:
        """Append a subtree of 2**height entries. The tree must hold a multiple of that many."""
        peaks = self._peaks
        while peaks and peaks[-1][0] == height:
            subtree = node_hash(peaks.pop()[1], subtree)
            height += 1
        peaks.append((height, subtree))

    def add_all(self, hashes: Sequence[bytes]) -> None:
        for each in hashes:
            self.add(each)

    def root(self) -> bytes:
        return joined([peak for _, peak in self._peaks])
