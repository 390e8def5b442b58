"""Live signals in one signed document, all of them or those behind a place: made in pieces, so that other requests have their turns,
and once for all who ask the same at a time."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

import msgspec
from msgspec import UNSET, Raw, Struct

from adapters.signal_rows import ClassState, SignalRows
from adapters.signal_sets import Signing
from api.signal_positions import Position
from api.signals_now import Now, SignalsNow
from api.snapshot_document import Head, SnapshotClass, written
from api.snapshot_lane import Lane, Snapshot
from domain.errors import StoreUnavailable
from domain.signals.facts import SignalClass
from domain.signing_key import Algorithm

REUSED_SECONDS = 1.0
"""A document serves for so long whoever asks, though signals came since: it says of what time it is."""
QUICK_SECONDS = 0.1
REUSED_FOR_MAKING, LONGEST_REUSED_SECONDS = 10, 30.0
"""One of all signals that took longer to make serves for so many times as long as that took: services that start one after another get the
same, with its age, and then ask for what came since."""
LONGEST_DIFFERENCE = 20_000
"""Signals, some 4 MB. Who lacks more gets the document of all, which is the same for everybody."""
ROWS = 1_000
"""Read at a time: some milliseconds."""


class Snapshots:
    """Of one process."""

    def __init__(self, rows: SignalRows, keys: Signing, *, issuer: str) -> None:
        self._rows = rows
        self._keys = keys
        self._issuer = issuer
        self._now = SignalsNow(rows)
        self._whole, self._differences = Lane(), Lane()

    async def of(self, classes: Sequence[SignalClass], *, caller: str) -> Snapshot:
        """Give a document of all signals of these classes. Raises TooManyWaiting, Overloaded, StoreUnavailable."""
        now = await self._now.wait()
        loop = asyncio.get_running_loop()
        async with self._whole.turn(caller, tuple(classes), lambda kept: loop.time() < kept.reused_until) as turn:
            if turn.made is not None:
                return turn.made
            return turn.keep(await self._made(now, await self._states(classes), {}))

    async def since(self, known: Mapping[SignalClass, Position], *, caller: str) -> Snapshot | None:
        """Give a document of what came after these positions; None where a class is not what it was there, or has gone far beyond.

        Raises TooManyWaiting, Overloaded, StoreUnavailable.
        """
        asked_at = asyncio.get_running_loop().time()
        now = await self._now.wait()
        async with self._differences.turn(caller, tuple(known.items()), lambda kept: kept.began >= asked_at) as turn:
            if turn.made is not None:
                return turn.made
            states = await self._states(known)
            lacking = sum(state.count - known[name].count for name, state in states.items())
            if lacking > LONGEST_DIFFERENCE or not all(known[name].is_of(state.epoch, state.count) for name, state in states.items()):
                return None
            return turn.keep(await self._made(now, states, known))

    async def _states(self, classes: Iterable[SignalClass]) -> Mapping[SignalClass, ClassState]:
        wanted = tuple(classes)
        found = await self._rows.classes(wanted)
        if any(name not in found for name in wanted):
            raise StoreUnavailable
        return {name: found[name] for name in wanted}

    async def _made(self, now: Now, states: Mapping[SignalClass, ClassState], known: Mapping[SignalClass, Position]) -> Snapshot:
        loop = asyncio.get_running_loop()
        began = loop.time()
        complete_to = max(now.complete_to, min(state.complete_to for state in states.values()))
        classes = [_class(state, known.get(name)) for name, state in states.items()]
        facts = [piece for name in states for piece in await self._facts(name, known[name].count if name in known else 0)]
        signer = await self._keys.signer(Algorithm.ES256)
        head = Head(iss=self._issuer, iat=int(time.time()), complete_to=complete_to, classes=classes)
        body = await asyncio.to_thread(written, signer, head, facts)
        took = loop.time() - began
        reused = REUSED_SECONDS if took < QUICK_SECONDS else min(REUSED_FOR_MAKING * took, LONGEST_REUSED_SECONDS)
        return Snapshot(
            etag=etag_of(states),
            body=body,
            began=now.began,
            as_of=now.began - max(0, now.asked_at - complete_to) / 1_000_000,
            reused_until=began + reused,
        )

    async def _facts(self, of_class: SignalClass, count: int) -> list[bytes]:
        """Read to the very end: a fact that is told anew meanwhile moves there."""
        pieces: list[bytes] = []
        more = True
        while more:
            rows = await self._rows.after(of_class, count, ROWS)
            if rows:
                pieces.append(b",".join([_kept.decode(row.body).minos for row in rows]))
                count = rows[-1].count
            more = len(rows) == ROWS
        return pieces


class _Kept(Struct, frozen=True):
    minos: Raw


_kept: msgspec.json.Decoder[_Kept] = msgspec.json.Decoder(_Kept)


def _class(state: ClassState, known: Position | None) -> SnapshotClass:
    return SnapshotClass(of_class=state.of_class, epoch=state.epoch, count=state.count, after=UNSET if known is None else known.count)


def etag_of(states: Mapping[SignalClass, ClassState]) -> str:
    """Name what is known at these states, whenever it is signed (RFC 9110 8.8.3)."""
    text = ",".join(f"{name}:{state.epoch}:{state.count}" for name, state in states.items())
    return f'"{sha256(text.encode()).hexdigest()[:32]}"'
