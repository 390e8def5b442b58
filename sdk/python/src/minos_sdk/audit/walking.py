"""One way through a bundle, from the first entry to the last."""

import re
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

from minos_sdk.audit.announced import Announced, Loss
from minos_sdk.audit.bundle import CHECKPOINTS, Bundle, Unreadable
from minos_sdk.audit.entries import BrokenEntry, Place, place_of, places_of
from minos_sdk.audit.findings import Finding, Findings, Kind
from minos_sdk.audit.hashing import HEIGHT, WIDTH, Frontier, full_root, leaf_hash
from minos_sdk.audit.judging import Held, Judge, Reader
from minos_sdk.audit.notes import LogKey
from minos_sdk.audit.streams import Streams
from minos_sdk.audit.tiles import Comparer, Upper

Progress = Callable[[int, int], None]
"""Told how many entries are done, of how many."""
_LISTED = re.compile(rf"checkpoint|key|{CHECKPOINTS.pattern}")


class Walk:
    """One way through the tiles, from left to right."""

    def __init__(self, bundle: Bundle, keys: Sequence[LogKey], findings: Findings, streams: Streams) -> None:
        self._bundle = bundle
        self._findings = findings
        self._streams = streams
        self._reader = Reader(bundle, keys, findings)
        self.judge = Judge(findings)
        self._comparer = Comparer(findings)
        self._upper = Upper(bundle, findings)
        self._announced = Announced()
        self._part = 0
        self._digest = sha256()
        self.frontier = Frontier()
        self.pruned = 0
        self.lost: list[Loss] = []

    def through(self, kept: Sequence[tuple[str, bytes]], progress: Progress) -> None:
        size = self._bundle.manifest.size
        self._files()
        checkpoints = self._reader.all(kept)
        following = next(checkpoints, None)
        while following is not None and following.size == 0:
            self.judge.told(following, same=following.root == self.frontier.root())
            following = next(checkpoints, None)
        for number in range(-(-size // WIDTH)):
            following = self._tile(number, min(WIDTH, size - number * WIDTH), following, checkpoints)
            progress(min(size, (number + 1) * WIDTH), size)
        while following is not None:
            self.judge.beyond(following)
            following = next(checkpoints, None)
        self._upper.end()
        self._comparer.end()
        self._breaks()
        for position, words in self._announced.withheld():
            self._findings.add(Finding(kind=Kind.ENTRY_WITHHELD, words=words, position=position))
        self._lost(self.judge.end(size, self._announced.loss))

    def _lost(self, shown: Sequence[Loss]) -> None:
        """Put together what the log says of its losses, and what checkpoints show of them."""
        for loss in sorted([*self._announced.losses(), *shown]):
            if self.lost and self.lost[-1].epoch == loss.epoch:
                self.lost[-1] = loss
            else:
                self.lost.append(loss)

    def _tile(self, number: int, width: int, following: Held | None, checkpoints: Iterator[Held]) -> Held | None:
        """Check one tile and the checkpoints whose last entry is in it; give the first checkpoint behind it."""
        first = number * WIDTH + 1
        entries = self._entries(number, width)
        said = self._hashes(number, width)
        made = None if entries is None else [
            leaf_hash(entry) if entry else said[at] if said and at < len(said) else b"" for at, entry in enumerate(entries)
        ]  # fmt: skip
        if entries is not None:
            self._look_into(first, entries)
        chosen = said or made or [b"\x00" * 32] * width
        if made is not None and said is not None and made != said:
            chosen = self._comparer.compare(number, made, said, signed=self._signed(number, width, made))
        at = 0
        while following is not None and following.size < first + width:
            at = self._grow(chosen, at, following.size - first + 1)
            self.judge.told(following, same=self.frontier.root() == following.root)
            following = next(checkpoints, None)
        if at == 0 and width == WIDTH:
            root = full_root(chosen)
            self.frontier.add(root, HEIGHT)
        else:
            self._grow(chosen, at, width)
            root = full_root(chosen) if width == WIDTH else b""
        if width == WIDTH:
            self._upper.add(root)
        return following

    def _signed(self, number: int, width: int, made: Sequence[bytes]) -> bool:
        """Tell whether these hashes are the ones that what is above them, or else the newest checkpoint, was made of."""
        if len(made) != width:
            return False
        if width == WIDTH:
            return full_root(made) == self._upper.said_above(number, self._bundle.manifest.size)
        tree = self.frontier.copy()
        for leaf in made:
            tree.add(leaf)
        return tree.root() == self._reader.newest_root

    def _grow(self, hashes: Sequence[bytes], at: int, to: int) -> int:
        for leaf in hashes[at:to]:
            self.frontier.add(leaf)
        return to

    def _entries(self, number: int, width: int) -> Sequence[bytes] | None:
        try:
            raw = self._bundle.entries_raw(number, width)
            self._in_part(raw, last=number * WIDTH + width)
            return self._bundle.entries(number, width, raw)
        except Unreadable as error:
            first = number * WIDTH + 1
            self._findings.add(Finding(kind=Kind.ENTRY_MISSING, words=str(error), position=first, tile=(0, number), path=error.path))
            return None

    def _hashes(self, number: int, width: int) -> Sequence[bytes] | None:
        try:
            return self._bundle.hashes(0, number, width)
        except Unreadable as error:
            self._findings.add(Finding(kind=Kind.TILE_MISSING, words=str(error), tile=(0, number), path=error.path))
            return None

    def _look_into(self, first: int, entries: Sequence[bytes]) -> None:
        places = places_of([entry for entry in entries if entry])
        for position, entry in enumerate(entries, first):
            if not entry:
                self.pruned += 1
                self._streams.pruned(position)
                self._announced.pruned(position)
                continue
            place = next(places)
            if isinstance(place, BrokenEntry):
                words = f"the entry at position {position} is not of the format: {place}"
                self._findings.add(Finding(kind=Kind.ENTRY_BROKEN, words=words, position=position))
                continue
            self._streams.seen(position, place)
            if place.stream == "log":
                self._announced.entry(place.type, entry)

    def _in_part(self, raw: bytes, *, last: int) -> None:
        """Hold the entries of a part against the manifest once the last of them was read."""
        self._digest.update(raw)
        parts = self._bundle.manifest.parts
        if self._part < len(parts) and last >= parts[self._part].last:
            part = parts[self._part]
            if self._digest.hexdigest() != part.digest:
                words = f"the entries at positions {part.first} to {part.last} are not the bytes the manifest was written for"
                self._findings.add(Finding(kind=Kind.BUNDLE_DAMAGED, words=words, position=part.first, path="manifest.json"))
            self._part += 1
            self._digest = sha256()

    def _files(self) -> None:
        """Hold every other file against the manifest."""
        for path, digest in self._bundle.manifest.files.items():
            words = None
            try:
                if not _LISTED.fullmatch(path):
                    words = f"manifest.json names {path!r}, which is no file of a bundle"
                elif self._bundle.digest(path) != digest:
                    words = f"{path} is not the bytes the manifest was written for"
            except Unreadable as error:
                words = str(error)
            if words is not None:
                self._findings.add(Finding(kind=Kind.BUNDLE_DAMAGED, words=words, path=path))

    def _breaks(self) -> None:
        """Say where a stream does not go on with its next version."""
        for found in self._streams.breaks():
            place = self._place(found.position)
            where = f"stream {place.stream} goes on at position {found.position} with version {found.version} after version {found.after}"
            kind = Kind.STREAM_REPEATS if found.repeats else Kind.STREAM_GAP
            self._findings.add(Finding(kind=kind, words=where, position=found.position, stream=place.stream, version=found.version))

    def _place(self, position: int) -> Place:
        number, at = divmod(position - 1, WIDTH)
        width = min(WIDTH, self._bundle.manifest.size - number * WIDTH)
        return place_of(self._bundle.entries(number, width, self._bundle.entries_raw(number, width))[at])
