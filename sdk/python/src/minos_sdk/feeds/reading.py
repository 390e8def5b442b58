"""One class of signals as NATS has it: live copies as they come, and what is missing from Minos itself, or out of the stream."""

import asyncio
from contextlib import aclosing
from hashlib import sha256
from math import inf
from typing import TYPE_CHECKING

from minos_sdk.feeds.direct_get import Stored, Unread, stored_from
from minos_sdk.feeds.minos import MinosItself
from minos_sdk.receiver import Receiver
from minos_sdk.signal_sets import Beat, Place, Signal, claimed_place

if TYPE_CHECKING:
    from nats.aio.client import Client

_PATIENCE = 3
"""So many times a stream may end before the newest signal there ever was: it may have expired, or a copy of the stream lags behind."""
_FOLLOWING_S = 45.0
"""What was told since everything was known this lately cannot have expired: the shortest signal lives a minute."""
_FEW = 500
"""Signals that are read out of the stream, each with a signature of its own; more of them Minos signs as one."""
_GAPS_S = 1.0
"""How often Minos is asked at the most because the stream lacks single signals. Until then nothing is complete."""
_WITHOUT_PAUSE = 16
_REMEMBERED = 8_192


def stream_of(of_class: str) -> str:
    """`access` is in SIG_ACCESS, `roles.shop` in SIG_ROLES_shop."""
    kind, _, audience = of_class.partition(".")
    return f"SIG_{kind.upper()}_{audience}" if audience else f"SIG_{kind.upper()}"


class Reading:
    """`wanted` is set when something may be missing. `minos`: who is asked first, where there is anybody to ask.

    Whoever has just come, or was away for long, takes nobody else's word for what holds: a broker could leave out what it likes.

    A reading of the stream begins where the last one ended, by the broker's word as far as a heartbeat bears it out: one that lies within
    that could as well leave out what it skips. Only within an epoch of the stream; of another one, all is read.
    """

    def __init__(self, receiver: Receiver, of_class: str, minos: MinosItself | None = None) -> None:
        self.wanted = asyncio.Event()
        self.wanted.set()
        self._minos = minos
        self._is_new = True
        self._ahead_to = (0, 0)
        self._receiver = receiver
        self._class = of_class
        self._known_to = (0, 0)
        self._beat: Beat | None = None
        self._short = 0
        self._gap_at = -inf
        self._must_come = (0, 0)
        self._read: dict[int, tuple[bytes, Place]] = {}
        """What was read beyond where the next reading begins: the same bytes need no second look."""

    def begin(self) -> None:
        """Read what may have come before somebody listened."""
        self._is_new = True
        self.wanted.set()

    def beat(self, beat: Beat) -> None:
        """Take in what a heartbeat says; read when it knows of more than is known here, or Minos has not said yet what holds: it may be of
        long ago."""
        self._beat = beat
        if self._asks and self._receiver.classes[self._class].advanced_at == -inf:
            self.wanted.set()
        elif self._receiver.beat(beat):
            self._known_to = max(self._known_to, (beat.newest.epoch, beat.sequence))
        else:
            self.wanted.set()
            if self._follows:
                self._must_come = max(self._must_come, (beat.newest.epoch, beat.newest.count))

    def knows(self, copy: str) -> bool:
        """Tell whether a live copy is one of those that Minos told of before NATS did: who catches up hears thousands of them.

        Nothing of it is verified, and nothing of it is used.
        """
        if self._ahead_to == (0, 0) or (place := claimed_place(copy)) is None:
            return False
        if place.epoch == self._ahead_to[0] and place.count <= self._ahead_to[1]:
            self._receiver.counts["known_already"] += 1
            return True
        self._ahead_to = (0, 0)
        return False

    def saw(self, place: Place) -> None:
        """Take in a live copy; read when it is not the next one."""
        progress = self._receiver.classes[self._class]
        if not progress.saw(place.epoch, place.count):
            self._receiver.counts["holes"] += 1
            self.wanted.set()

    async def read(self, client: "Client") -> None:
        """Get to know all there is. Raises Unread, and what nats-py raises."""
        self.wanted.clear()
        if self._is_more_than_few and self._asks:
            if await self._told():
                return
            if not self._follows and self._asks:
                raise Unread("Minos itself does not say what holds")
        await self._read_stream(client)
        self._is_new = False

    @property
    def _asks(self) -> bool:
        return self._minos is not None and not self._minos.is_refused

    async def _told(self) -> bool:
        if self._minos is None or not await self._minos.tell():
            return False
        progress = self._receiver.classes[self._class]
        self._is_new, self._ahead_to = False, (progress.epoch, progress.count)
        return True

    @property
    def _follows(self) -> bool:
        return self._receiver.monotonic() - self._receiver.classes[self._class].advanced_at < _FOLLOWING_S

    @property
    def _is_more_than_few(self) -> bool:
        """Whether the stream would be read from its start, or from far away."""
        if self._is_new or self._beat is None or not self._follows:
            return True
        newest, known = self._beat.newest, self._receiver.classes[self._class]
        return newest.epoch != self._known_to[0] or newest.count - known.count > _FEW

    async def _read_stream(self, client: "Client") -> None:
        """Read to the end, and note what is known by that."""
        beat, progress = self._beat, self._receiver.classes[self._class]
        epoch, sequence = self._known_to
        first = sequence + 1 if beat is None or beat.newest.epoch == epoch else 1
        whole, newest, last, told = True, Place(self._class, 0, 0), 0, set[Place]()
        async with aclosing(stored_from(client, stream_of(self._class), first)) as parts:
            async for part in parts:
                for number, stored in enumerate(part, 1):
                    place, last = await self._take(stored), stored.sequence
                    whole = whole and place is not None
                    newest = max(newest, place or newest, key=lambda known: (known.epoch, known.count))
                    if place is not None and self._asks and progress.lacks(place.epoch, place.count):
                        told.add(place)
                    if number % _WITHOUT_PAUSE == 0:
                        await asyncio.sleep(0)
        self._receiver.counts["reads"] += 1
        of_newest = {each.count for each in told if each.epoch == newest.epoch}
        if self._asks and progress.lacks(newest.epoch, newest.count) and progress.has_gap(newest.epoch, newest.count, of_newest):
            await self._fill_gap()
            return
        if whole:
            if newest.epoch == epoch or first == 1:
                self._known_to = max(self._known_to, (newest.epoch, min(last, self._signed_end(newest.epoch))))
            self._note(newest, beat)
        self._read = {sequence: known for sequence, known in self._read.items() if sequence > self._known_to[1]}

    async def _fill_gap(self) -> None:
        """Ask Minos, now and then: what lacks was replaced by what is newer, or the broker leaves it out. Raises Unread."""
        self._receiver.counts["gaps"] += 1
        await asyncio.sleep(max(0.0, self._gap_at + _GAPS_S - self._receiver.monotonic()))
        self._gap_at = self._receiver.monotonic()
        if not await self._told() and self._asks:
            raise Unread("the stream lacks signals, and Minos itself does not say which")

    def _signed_end(self, epoch: int) -> int:
        """Nobody but the newest heartbeat is believed where a stream ends at the furthest."""
        return self._beat.sequence if self._beat is not None and self._beat.newest.epoch == epoch else 0

    async def _take(self, stored: Stored) -> Place | None:
        """Give where a stored signal stands; None for what does not belong here."""
        digest = sha256(stored.data).digest()
        if (known := self._read.get(stored.sequence)) is not None and known[0] == digest:
            return known[1]
        told = await self._receiver.signal(stored.data.decode(errors="replace"))
        place = told.place if isinstance(told, Signal) else None
        if place is None or place.of_class != self._class:
            return None
        if len(self._read) < _REMEMBERED:
            self._read[stored.sequence] = digest, place
        return place

    def _note(self, newest: Place, beat: Beat | None) -> None:
        """What was told while this verifier followed has to come, or nothing is complete: somebody may be keeping it back."""
        self._receiver.reached(newest)
        progress = self._receiver.classes[self._class]
        if beat is None or not progress.lacks(beat.newest.epoch, beat.newest.count):
            self._short = 0
        elif not progress.lacks(*self._must_come):
            self._short += 1
            if self._short >= _PATIENCE:
                self._receiver.reached(beat.newest)
