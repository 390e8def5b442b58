"""Signals for those who listen over HTTP: looked for in Postgres by one task, and each signed once for all of them.

It needs no NATS. Nobody looks while nobody listens, and nothing is kept for a listener but where they are: one who takes their time
reads what they missed from the rows.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

import structlog

from adapters.signal_rows import ClassState, SignalRow, SignalRows
from adapters.signal_sets import Feed, SignalSigner, Signing
from api.signal_channel import Channel, Told
from domain.errors import NoSuchAudience, StoreUnavailable
from domain.signals.facts import ACCESS, SignalClass
from domain.signing_key import Algorithm

LOOK_SECONDS = 0.02
AWAY_SECONDS = 0.25
BEAT_SECONDS, LATEST_BEAT_SECONDS = 0.9, 1.1
"""A heartbeat is told when what is complete has moved on, so often at most; and at the latest after this, whatever it says."""
REST = 1
"""Of all who are far behind one at a time has signals read and signed, and then nobody for as long as that took: whoever asks for
everything again and again takes no more than half of the time from the others."""
PAGES_KEPT = 32
"""Of those, which are the same for all who begin anew together."""
PAGE = 500
"""Signals read at a time."""
SIGNED_AT_ONCE = 64
"""After which other requests have their turn."""


class SignalHub:
    """Raises StoreUnavailable wherever rows or keys cannot be read."""

    def __init__(self, rows: SignalRows, keys: Signing, *, issuer: str, leaving: asyncio.Event) -> None:
        self._rows = rows
        self._keys = keys
        self._signer = SignalSigner(keys, issuer)
        self._kid: str | None = None
        self._channels: dict[SignalClass, Channel] = {}
        self._listening: Counter[SignalClass] = Counter()
        self._beaten: dict[SignalClass, tuple[float, int]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._one_look = asyncio.Lock()
        self._behind = asyncio.Lock()
        self._pages: dict[tuple[SignalClass, int, str | None, int], Sequence[Told]] = {}
        self._news = asyncio.Event()
        self.leaving = leaving

    async def states(self, classes: Iterable[SignalClass]) -> Mapping[SignalClass, ClassState]:
        """Say how far these classes are. Raises NoSuchAudience, StoreUnavailable."""
        wanted = tuple(classes)
        found = await self._rows.classes(wanted)
        if missing := [name for name in wanted if name not in found]:
            raise StoreUnavailable if missing == [ACCESS] else NoSuchAudience
        return {name: found[name] for name in wanted}

    @asynccontextmanager
    async def listening(self, classes: Sequence[SignalClass]) -> AsyncGenerator[Sequence[Channel]]:
        """Give the channels of these classes, which are kept up to date for as long as the block runs. Raises as `states`."""
        self._listening.update(classes)
        try:
            await self._look()
            if missing := [name for name in classes if name not in self._channels]:
                await self.states(missing)
                raise StoreUnavailable
            if self._looking is None:
                self._looking = asyncio.create_task(self._keep_looking(), name="signals")
            yield [self._channels[name] for name in classes]
        finally:
            self._listening.subtract(classes)
            for name in [name for name in classes if self._listening[name] <= 0]:
                del self._listening[name]
                self._channels.pop(name, None)
                self._beaten.pop(name, None)
            if not self._listening:
                self._pages.clear()

    @property
    def news(self) -> asyncio.Event:
        """Give what is set when something comes next, to any channel. Take it before looking, or what comes meanwhile is missed."""
        return self._news

    async def heartbeat(self, state: ClassState) -> str:
        """Sign what a class's heartbeat says just now. Raises StoreUnavailable."""
        return await self._signer.heartbeat(state.heartbeat)

    async def older(self, channel: Channel, after: int) -> tuple[Sequence[Told], bool]:
        """Give the next signals after that count from the rows, and whether that is all there were. Raises StoreUnavailable."""
        loop, page = asyncio.get_running_loop(), (channel.of_class, channel.epoch, self._kid, after)
        async with self._behind:
            if (known := self._pages.get(page)) is not None:
                return known, False
            began = loop.time()
            rows = await self._rows.after(channel.of_class, after, PAGE)
            told = await self._signed(rows, channel)
            if len(rows) < PAGE:
                return told, True
            self._pages[page] = told
            if len(self._pages) > PAGES_KEPT:
                del self._pages[next(iter(self._pages))]
            await asyncio.sleep(REST * (loop.time() - began))
            return told, False

    async def aclose(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking

    async def _keep_looking(self) -> None:
        try:
            while self._listening:
                pause = LOOK_SECONDS
                try:
                    await self._look()
                except StoreUnavailable:
                    pause = AWAY_SECONDS  # nobody hears a heartbeat meanwhile, which is the truth
                except Exception as error:  # noqa: BLE001 - whatever it is, who listens must not wait for a task that is gone
                    structlog.get_logger().error("signals_not_told", exc_info=error)
                    pause = AWAY_SECONDS
                if self.leaving.is_set():
                    self._tell_everybody()
                await asyncio.sleep(pause)
        finally:
            self._looking = None

    async def _look(self) -> None:
        async with self._one_look:
            states = await self._rows.classes(list(self._listening))
            kid = (await self._keys.signer(Algorithm.ES256)).kid
            if kid != self._kid:
                self._kid = kid
                self._pages.clear()
                for channel in self._channels.values():
                    channel.forget()
            for name in list(self._listening):
                if (state := states.get(name)) is not None and name in self._listening and await self._bring_up(state):
                    self._tell_everybody()

    async def _bring_up(self, state: ClassState) -> bool:
        """Bring a class up to what it is now; True where there is something to tell."""
        channel = self._channels.get(state.of_class)
        if channel is None:
            channel = self._channels[state.of_class] = Channel(state.of_class, epoch=state.epoch, count=state.count)
        elif state.epoch != channel.epoch or state.count < channel.count:
            channel.begin_anew(epoch=state.epoch, count=state.count)
        grown = more = state.count > channel.count
        while more:  # to the very end: what is told anew meanwhile moves there, and is told of no more where it was
            rows = await self._rows.after(state.of_class, channel.count, PAGE)
            more = len(rows) == PAGE
            last = rows[-1].count if rows else 0
            channel.add(await self._signed(rows, channel), through=last if more else max(state.count, last))
        return await self._beat(channel, state) or grown

    async def _beat(self, channel: Channel, state: ClassState) -> bool:
        now, last = asyncio.get_running_loop().time(), self._beaten.get(state.of_class, (0.0, 0))
        due = BEAT_SECONDS if state.complete_to > last[1] else LATEST_BEAT_SECONDS
        if channel.heartbeat is not None and now - last[0] < due:
            return False
        self._beaten[state.of_class] = (now, state.complete_to)
        channel.heartbeat = Told(state.count, f"event: heartbeat\ndata: {await self.heartbeat(state)}\n\n".encode())
        return True

    async def _signed(self, rows: Sequence[SignalRow], channel: Channel) -> list[Told]:
        told: list[Told] = []
        for number, row in enumerate(rows, 1):
            feed = Feed(of_class=channel.of_class, epoch=channel.epoch, count=row.count)
            told.append(Told(row.count, f"event: signal\ndata: {await self._signer.sign(row.body, feed)}\n\n".encode()))
            if number % SIGNED_AT_ONCE == 0:
                await asyncio.sleep(0)
        return told

    def _tell_everybody(self) -> None:
        """Wake who waits now; who comes later waits for the next time."""
        self._news.set()
        self._news = asyncio.Event()
