"""One listener to signals over HTTP: the lines of their event stream, from where they were."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence

from api.signal_channel import Channel, Told
from api.signal_hub import AWAY_SECONDS, SignalHub
from api.signal_positions import Position
from domain.errors import StoreUnavailable
from domain.signals.facts import SignalClass

LOOKED_AT_AGAIN_SECONDS = 1.0
"""How long somebody may go on listening whose account, token or right is gone."""
IN_ONE_PIECE = 64
"""Signals; some 50 KB."""


class _Unsure(Exception):
    """Nobody can tell whether they may hear the rest of what was taken for them: they come back to it, with the id of what they have."""


class _Place:
    """Where the listener is in one channel."""

    __slots__ = ("beaten", "channel", "count", "generation", "is_announced", "is_reading")

    def __init__(self, channel: Channel, known: Position | None) -> None:
        """What somebody knows of another epoch, or beyond what there is, is not what there was: they begin anew."""
        self.channel = channel
        self.generation = channel.generation
        fits = known is not None and known.is_of(channel.epoch, channel.count)
        self.count = known.count if known is not None and fits else 0
        self.is_announced = known is None or fits
        self.is_reading = False
        """Whether the rows have not been read to their end yet: a fact that is told anew meanwhile moves there, from where it was."""
        self.beaten: Told | None = None

    @property
    def is_behind(self) -> bool:
        return self.is_reading or self.generation != self.channel.generation or self.count < self.channel.count

    def begin_anew(self) -> None:
        self.generation, self.count, self.is_announced = self.channel.generation, 0, False

    def announcement(self) -> Told | None:
        """Give what says first that everything is told anew: whoever has another way to it need not hear it all."""
        if self.is_announced or self.channel.heartbeat is None:
            return None
        self.is_announced = True
        return self.channel.heartbeat

    def __str__(self) -> str:
        return f"{self.channel.of_class}:{self.channel.epoch}:{self.count}"


class Listener:
    """`still` is asked every second whether they may go on; it raises what is to be told them otherwise."""

    def __init__(
        self, hub: SignalHub, channels: Sequence[Channel], known: Mapping[SignalClass, Position], still: Callable[[], Awaitable[None]]
    ) -> None:
        self._hub = hub
        self._places = [_Place(channel, known.get(channel.of_class)) for channel in channels]
        self._still = still
        self._asked = asyncio.get_running_loop().time()

    async def lines(self) -> AsyncGenerator[bytes]:
        """Give pieces of the event stream for as long as the process goes on. Raises what `still` does."""
        yield b"retry: 1000\n\n"
        while not self._hub.leaving.is_set():
            news = self._hub.news
            try:
                await self._ask_again()
                for place in self._places:
                    async for piece in self._new(place):
                        yield piece
            except StoreUnavailable:
                await asyncio.sleep(AWAY_SECONDS)
            except _Unsure:
                return
            try:
                async with asyncio.timeout(LOOKED_AT_AGAIN_SECONDS):
                    await news.wait()
            except TimeoutError:
                continue

    async def _new(self, place: _Place) -> AsyncGenerator[bytes]:
        while place.is_behind:
            if self._hub.leaving.is_set():
                return
            if place.generation != place.channel.generation:
                place.begin_anew()
            if (first := place.announcement()) is not None:
                yield self._with_id(first)
            for piece in await self._missed(place):
                await self._ask_between()
                yield piece
        # Only now, and with no pause before: what it says is complete has to have been told.
        beat = place.channel.heartbeat
        if beat is not None and beat is not place.beaten:
            place.beaten = beat
            yield self._with_id(beat)

    async def _ask_again(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._asked >= LOOKED_AT_AGAIN_SECONDS:
            await self._still()
            self._asked = now

    async def _ask_between(self) -> None:
        """Before each piece of what somebody missed: who reads slowly would else hear all of it, whatever became of them."""
        try:
            await self._ask_again()
        except StoreUnavailable as away:
            raise _Unsure from away

    async def _missed(self, place: _Place) -> Sequence[bytes]:
        """Give what follows the place, or some of it, and move the place there."""
        channel = place.channel
        through = channel.count
        if place.count >= channel.floor and not place.is_reading:
            told = channel.after(place.count)
        else:
            told, whole = await self._hub.older(channel, place.count)
            place.is_reading = not whole
            through = max([through, *(each.count for each in told[-1:])]) if whole else told[-1].count
        return self._in_pieces(told, place, through)

    def _in_pieces(self, told: Sequence[Told], place: _Place, through: int) -> list[bytes]:
        pieces: list[bytes] = []
        for first in range(0, len(told), IN_ONE_PIECE):
            lines: list[bytes] = []
            for each in told[first : first + IN_ONE_PIECE]:
                place.count = each.count
                lines.append(self._with_id(each))
            pieces.append(b"".join(lines))
        place.count = through
        return pieces

    def _with_id(self, told: Told) -> bytes:
        return b"id: %b\n%b" % (",".join(map(str, self._places)).encode(), told.lines)
