"""Folds the log into the set of live signals, whether or not NATS is there, and says each second up to when the set is complete.

Killed at any moment: rows and position move in one transaction. Two at once: the position moves for one of them.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import msgspec
import structlog
from msgspec.structs import replace

from adapters.log_reader import LogPage, LogReader
from adapters.postgres import StatementRefused
from adapters.signal_sets import SignalSigner
from commands.ports import EventStore
from domain.errors import Refused, StoreUnavailable, UnknownEventTag
from domain.signals.facts import audience_of
from workers.hints import Hint
from workers.signals.outbox import Outbox, State
from workers.signals.telling import Teller, Told

MOST_EVENTS = 2_000
BEAT_SECONDS = 1.0
BUSY_SECONDS = 0.05
IDLE_SECONDS = 0.5
BUSY_STEPS = 20
STANDBY_SECONDS = 0.5
HALTED_SECONDS = 2.0
CATCH_UP_SECONDS = 0.5
"""How long a beat may wait for the fold to get where it is complete."""
LONG_ENDED_SECONDS = 3_600.0
"""What ended so long ago by this machine's clock has ended by the database's."""

log = structlog.stdlib.get_logger()


class Halted(Exception):
    """An event cannot be told. Going on would keep from services what they have to know: only newer code can go on."""


@dataclass(slots=True)
class Lead:
    """Whether this process is the one that tells."""

    held: bool = False
    holder: UUID = field(default_factory=uuid4)


@dataclass(frozen=True, slots=True)
class Folded:
    """The log is in the set up to `position`. `rows` were put there now; `standing_by` while another process does it."""

    position: int
    lag_events: int
    rows: int
    halted: str | None = None
    standing_by: bool = False


class Folder:
    def __init__(
        self,
        url: str,
        store: EventStore,
        signer: SignalSigner,
        lead: Lead,
        *,
        life: int,
        hint: Hint,
        changed: Callable[[], None],
        observe: Callable[[Folded], None] = lambda _: None,
    ) -> None:
        """`life`: what is set as the life of access tokens, in seconds. `changed` is called when there is something to send."""
        self._reader = LogReader(url)
        self._outbox = Outbox(url)
        self._teller = Teller(store, self._outbox, signer)
        self._lead = lead
        self._life = life
        self._hint = hint
        self._changed = changed
        self._observe = observe
        self._state: State | None = None
        self._reviewed = False
        self._reason = ""

    async def run(self, stop: asyncio.Event) -> None:
        """Fold until `stop` is set. Raises StoreUnavailable, LogBroken: call it again then."""
        quiet, beat_at = 0, 0.0
        loop = asyncio.get_running_loop()
        await self._outbox.begin()
        while not stop.is_set():
            self._hint.clear()
            try:
                if loop.time() >= beat_at:
                    beat_at = loop.time() + BEAT_SECONDS
                    await self.beat()
                if not self._lead.held:
                    beat_at = 0.0
                    await self._hint_or(stop, STANDBY_SECONDS)
                    continue
                quiet = 0 if await self.step() else quiet + 1
            except Halted as error:
                await self._halt(str(error))
                await self._hint_or(stop, min(HALTED_SECONDS, max(0.0, beat_at - loop.time())))
                continue
            if quiet:
                pause = BUSY_SECONDS if quiet < BUSY_STEPS else IDLE_SECONDS
                await self._hint.within(max(0.0, min(pause, beat_at - loop.time())))

    async def step(self) -> bool:
        """Take in what follows; False when there is nothing. Raises Halted, StoreUnavailable, LogBroken."""
        state, self._state = self._state or await self._outbox.state(), None
        page = await self._reader.read(state.position, MOST_EVENTS)
        if self._reviewed and not page.events and page.epoch == state.epoch:
            self._state = state
            self._observe(Folded(state.position, 0, 0))
            return False
        try:
            told = await self._told(page, state)
            moved = await self._outbox.fold(
                state.position, told.through, epoch=told.epoch, life=told.life, told=told.audiences, rows=told.rows,
                given=told.given, over=told.over,
            )  # fmt: skip
        except StoreUnavailable:  # it says nothing of the event
            raise
        except (UnknownEventTag, Refused, LookupError, msgspec.MsgspecError, StatementRefused) as error:
            raise Halted(f"after position {state.position}: {type(error).__name__} {error}") from error
        if not moved:
            return True
        people = {audience_of(name) for name, people in told.audiences if people}
        self._state = State(told.through, told.epoch, told.life, state.told | people) if told.whole else None
        self._reviewed = self._reviewed or told.whole
        self._reason = ""
        self._observe(Folded(told.through, page.size - told.through, len(told.rows)))
        if told.rows or told.audiences:
            self._changed()
        return True

    async def _told(self, page: LogPage, state: State) -> Told:
        """Whoever takes the lead looks at all service tokens first: whoever had it may have been of code that did not."""
        state = replace(state, life=max(state.life, self._life))
        if not self._reviewed:
            return await self._teller.review(state)
        return await self._teller.told(page, state, ended_by=time.time() - LONG_ENDED_SECONDS)

    async def beat(self) -> None:
        """Take or keep the lead, and say up to when everything is in the set: nothing new where the fold is not there. Raises Halted."""
        complete = await self._outbox.completeness()
        halted = await self._fold_up_to(complete.size) if self._lead.held else None
        there = self._state is not None and self._state.position >= complete.size
        self._lead.held = await self._outbox.beat(self._lead.holder, complete.complete_to if there else None)
        if not self._lead.held:
            self._state, self._reviewed = None, False
            self._observe(Folded(0, 0, 0, standing_by=True))
            return
        self._changed()
        if halted is not None:
            raise halted

    async def _fold_up_to(self, size: int) -> Halted | None:
        """Fold so far, but for no longer than a beat may wait. A halt is given back: it has to be told, with a beat."""
        until = asyncio.get_running_loop().time() + CATCH_UP_SECONDS
        try:
            while await self.step() and (self._state is None or self._state.position < size):
                if asyncio.get_running_loop().time() > until:
                    break
        except Halted as error:
            return error
        return None

    async def close(self) -> None:
        """Let another one lead at once."""
        if self._lead.held:
            self._lead.held = False
            with suppress(StoreUnavailable):
                await self._outbox.let_go(self._lead.holder)
        await self._outbox.close()
        await self._reader.close()

    async def _halt(self, reason: str) -> None:
        await self._outbox.halt(reason)
        self._observe(Folded(0, 0, 0, halted=reason))
        if self._reason != reason:
            self._reason = reason
            log.error("signals_halted", reason=reason)

    async def _hint_or(self, stop: asyncio.Event, seconds: float) -> None:
        """Wait without being hurried by hints: there is nothing to do for them now."""
        try:
            async with asyncio.timeout(seconds):
                await stop.wait()
        except TimeoutError:
            return
