"""Sends the set of live signals to NATS: into the stream of its class, then as a live copy; and a heartbeat each second.

What NATS has acknowledged is noted afterwards: killed in between, it is sent again, which changes nothing for whoever has it. A stream
that ends before what was noted has lost something, by being emptied, replaced or set back: then all that holds is sent anew, as another
epoch. So does a stream that tells of what Postgres does not know, which lost it; and a key that signs in place of another, which will soon
verify nothing any more.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import structlog
from nats.aio.client import Client

from adapters.jetstream import MOST_IN_BATCH, NotTheEnd, StreamAway
from adapters.signal_sets import SignalSigner
from adapters.signal_stream import SignalStream
from domain.signals.facts import ACCESS, SignalClass
from workers.hints import Hint
from workers.signals.due import Due
from workers.signals.folder import Lead
from workers.signals.heartbeats import Beating, beat
from workers.signals.line import Line, opened
from workers.signals.notes import Notes
from workers.signals.outbox import Outbox
from workers.signals.sending import send

IDLE_SECONDS = 0.5
AWAY_SECONDS = 0.1
LOST_SECONDS = 0.25
"""How long a writer that met another one leaves it the field."""
AWAY_TOLD = 10
PATIENCE_SECONDS = 0.05
"""That the other classes may take before `access` has its turn again: one grant is a message for each of hundreds of audiences."""

log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True)
class Sent:
    """`count` signals of a class were acknowledged now, `behind` wait. `state` as in the heartbeat."""

    of_class: SignalClass
    epoch: int
    count: int
    behind: int
    state: str
    away: bool = False


class Sender:
    def __init__(
        self,
        url: str,
        client: Client,
        signer: SignalSigner,
        lead: Lead,
        *,
        hint: Hint,
        observe: Callable[[Sent], None] = lambda _: None,
        reached: Callable[[bool], None] = lambda _: None,
        replicas: int = 1,
    ) -> None:
        self._outbox = Outbox(url)
        self._client = client
        self._signer = signer
        self._lead = lead
        self._hint = hint
        self._observe = observe
        self._reached = reached
        self._replicas = replicas
        self._lines: dict[SignalClass, Line] = {}
        self._turn: SignalClass = ACCESS
        self._notes = Notes(url)

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set. NATS being away is waited out; raises StoreUnavailable: call it again then."""
        away = 0
        while not stop.is_set():
            self._hint.clear()
            if not self._lead.held:
                self._lines.clear()
                await self._hint.within(IDLE_SECONDS)
                continue
            try:
                more = await self.step()
                self._reached(True)
                away = 0
                if not more:
                    await self._hint.within(IDLE_SECONDS)
            except NotTheEnd:
                await asyncio.sleep(LOST_SECONDS)
            except StreamAway as error:
                away += 1
                self._reached(False)
                if away == AWAY_TOLD:
                    log.warning("signals_wait_for_nats", reason=str(error))
                await asyncio.sleep(AWAY_SECONDS)

    async def step(self) -> bool:
        """Send what waits of every class, or of some, then the heartbeats of these that are due; True where more waits.

        Raises NotTheEnd, StreamAway, StoreUnavailable, of one class when all have had their turn.
        """
        if not self._client.is_connected:
            raise StreamAway("not connected")
        more, failed, beats = False, list[Exception](), list[Beating]()
        loop = asyncio.get_running_loop()
        until: float | None = None
        known = [line.acknowledged for line in self._lines.values()]
        for due in self._in_turn(await self._outbox.due(MOST_IN_BATCH, known)):
            if due.of_class != ACCESS:
                if until is None:
                    until = loop.time() + PATIENCE_SECONDS
                elif loop.time() > until:
                    more = more or self._has_to_do(due)
                    continue
                self._turn = due.of_class
            try:
                more = await self._serve(due, beats) or more
            except (NotTheEnd, StreamAway) as error:
                self._give_up(due)
                failed.append(error)
            except BaseException:
                self._give_up(due)
                raise
        failed += await self._beat_all(beats)
        if failed:
            raise failed[0]
        return more

    def _in_turn(self, classes: Iterable[Due]) -> Sequence[Due]:
        """Order them: `access` before all others, and these from where the last time ended."""
        return sorted(classes, key=lambda due: (due.of_class != ACCESS, due.of_class <= self._turn))

    def _has_to_do(self, due: Due) -> bool:
        line = self._lines.get(due.of_class)
        return line is None or line.epoch != due.epoch or due.newest > due.sent or due.beat > line.beat

    async def noted(self) -> None:
        """Wait until all that NATS acknowledged is noted."""
        await self._notes.written()

    async def close(self) -> None:
        await self._notes.close()
        await self._outbox.close()

    async def _serve(self, due: Due, beats: list[Beating]) -> bool:
        if due.kid != (kid := await self._signer.kid()):
            await self._outbox.sign_with(due, kid)
            return True
        line = self._lines.get(due.of_class)
        if line is None or line.epoch != due.epoch or line.sequence < due.sequence:
            return await self._open(due)
        whole = len(due.rows) < MOST_IN_BATCH
        sent = due.newest if whole else due.rows[-1].count
        if sent > due.sent:
            await send(line, due, sent, self._signer, copies=whole and not due.resending)
            self._notes.put(line.acknowledged)
        if whole:
            line.complete_to = due.complete_to
            if due.resending:
                await line.stream.forget_before(due.first_sequence)
                await self._outbox.resent(due)
        state = "halted" if due.halted else "catching_up" if due.resending or not whole else "running"
        if due.beat > line.beat:
            beats.append(Beating(line, due, sent, state))
        self._observe(Sent(due.of_class, due.epoch, len(due.rows), due.newest - sent, state))
        return not whole or due.resending

    async def _open(self, due: Due) -> bool:
        """What follows from it is told by the next look."""
        line = await opened(SignalStream(self._client, due.of_class, replicas=self._replicas), due, self._outbox)
        if line is not None:
            self._lines[due.of_class] = line
        return True

    async def _beat_all(self, beats: Sequence[Beating]) -> list[Exception]:
        """Side by side: each waits for an answer of NATS, and signals wait meanwhile. Gives what went wrong."""
        failed: list[Exception] = []
        told = [beat(each, self._signer) for each in beats]
        for beating, said in zip(beats, await asyncio.gather(*told, return_exceptions=True), strict=True):
            emptied = said is False and await self._outbox.holds(beating.due.of_class, beating.sent)
            if emptied or isinstance(said, NotTheEnd | StreamAway):
                self._give_up(beating.due)
                failed.append(said if isinstance(said, Exception) else NotTheEnd())
            elif isinstance(said, BaseException):
                raise said
        return failed

    def _give_up(self, due: Due) -> None:
        """Nobody knows any more what the stream has: ask it again."""
        self._lines.pop(due.of_class, None)
        self._observe(Sent(due.of_class, due.epoch, 0, due.newest - due.sent, "catching_up", away=True))
