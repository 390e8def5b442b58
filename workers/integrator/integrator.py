"""Grows the audit tree behind the log and publishes signed checkpoints of it.

Apart from the sequencer, so that no append waits for it. Any number may run: tiles are the same whoever stores them, and the second place
lets one checkpoint follow another only.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError

from adapters.checkpoint_key import CheckpointSigner
from adapters.log_reader import READ_SECONDS, LogReader
from adapters.postgres import Link
from adapters.postgres_links import Links
from adapters.second_place import PlaceAway, PlaceChanged, SecondPlace
from workers.hints import Hint
from workers.integrator.growing import GrowingTree, LogChanged, TreeBroken
from workers.integrator.judging import Refused
from workers.integrator.signatory import Signatory
from workers.integrator.thinning import Thinning

SUBJECT = "log.v1.checkpoint"
MOST_EVENTS = 2_048
"""Of one step. Others of this process have their turns meanwhile; a checkpoint has to wait until it is done."""
PACE_SECONDS = 0.1
IDLE_SECONDS = 0.5
PUBLISH_SECONDS = 0.5
"""Least time between two checkpoints: each is flushed to the second place. The first event after a pause does not wait for it."""
STANDBY_SECONDS = 2.0
"""How long an integrator that met another one leaves it the field."""
AWAY_SECONDS = 1.0
HALTED_SECONDS = 2.0

log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True)
class Integrated:
    """The tree has `size` entries, of which `published` are under a checkpoint. `lag_s`: how old the oldest of those was that the newest
    checkpoint was the first to cover; None where none was published now."""

    size: int
    published: int
    lag_s: float | None = None
    halted: str | None = None
    away: str | None = None


class Integrator:
    """One integrator. Set `hint` when positions were given; `observe` hears of every step."""

    def __init__(
        self,
        url: str,
        signer: CheckpointSigner,
        place: SecondPlace,
        *,
        client: Client | None = None,
        hint: Hint | None = None,
        observe: Callable[[Integrated], None] = lambda _: None,
    ) -> None:
        self.hint = Hint() if hint is None else hint
        self._signer, self._place, self._client = signer, place, client
        self._observe = observe
        self._reader, self._link, self._links = LogReader(url), Link(url, seconds=READ_SECONDS), Links(url, size=1)
        self._thinning = Thinning(self._links)
        self._open: tuple[GrowingTree, Signatory] | None = None
        self._oldest: datetime | None = None
        """Of the events under no checkpoint: the first one's time."""
        self._due = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set. Raises StoreUnavailable and LogBroken: call it again then."""
        told = ""
        try:
            while not stop.is_set():
                self.hint.clear()
                try:
                    if (added := await self.step()) < MOST_EVENTS:
                        await self._thinning.step()
                        await self._rest(added)
                    told = ""
                except LogChanged as change:
                    log.info("integrator_begins_again", reason=str(change))
                    await asyncio.sleep(PACE_SECONDS)
                except PlaceChanged:
                    await asyncio.sleep(STANDBY_SECONDS)
                except PlaceAway as away:
                    self._observe(Integrated(0, 0, away=str(away)))
                    if told != (told := str(away)):
                        log.warning("integrator_waits_for_second_place", reason=str(away))
                    await asyncio.sleep(AWAY_SECONDS)
                except (Refused, TreeBroken) as error:
                    self._observe(Integrated(0, 0, halted=str(error)))
                    if told != (told := str(error)):
                        log.error("integrator_halted", reason=str(error))  # noqa: TRY400 - where it was raised tells nobody anything
                    await asyncio.sleep(HALTED_SECONDS)
        finally:
            await self.close()

    async def step(self) -> int:
        """Add what follows to the tree, at most MOST_EVENTS, publish if it is time, and give how many were added.

        Raises LogChanged, TreeBroken, Refused, PlaceChanged, PlaceAway, StoreUnavailable, LogBroken. After an error the next step begins
        with what is stored.
        """
        try:
            tree, signatory = self._open or await self._begin()
            grown = await tree.step(MOST_EVENTS)
            self._oldest = self._oldest or grown.oldest_at
            lag_s = None
            if tree.size > signatory.size and asyncio.get_running_loop().time() >= self._due:
                lag_s = await self._publish(tree, signatory)
        except BaseException:
            self._open = None
            raise
        self._observe(Integrated(tree.size, signatory.size, lag_s=lag_s))
        return grown.added

    async def _begin(self) -> tuple[GrowingTree, Signatory]:
        """Raises as `step`."""
        now = await self._reader.size()
        signatory = Signatory(self._signer, self._place, self._links, now.epoch)
        await signatory.open()
        tree = GrowingTree(self._link, now.epoch)
        await tree.open(signatory.known)
        while tree.size < signatory.size:
            await tree.step(min(MOST_EVENTS, signatory.size - tree.size))
        await signatory.agree(tree.root())
        self._open, self._oldest = (tree, signatory), None
        return self._open

    async def _publish(self, tree: GrowingTree, signatory: Signatory) -> float:
        note = await signatory.sign(tree.size, tree.root())
        self._due = asyncio.get_running_loop().time() + PUBLISH_SECONDS
        oldest, self._oldest = self._oldest, None
        if self._client is not None and self._client.is_connected:
            with suppress(NatsError):  # whoever missed it has the next one, or asks for it
                await self._client.publish(SUBJECT, note.encode())
        return 0.0 if oldest is None else max(0.0, (datetime.now(UTC) - oldest).total_seconds())

    async def _rest(self, added: int) -> None:
        """Pause until a checkpoint is due, so that what comes meanwhile is added at once; where nothing came, until there is more."""
        await asyncio.sleep(max(PACE_SECONDS, self._due - asyncio.get_running_loop().time()))
        if not added and self._open is not None and self._open[0].size == self._open[1].size:
            await self.hint.within(IDLE_SECONDS)

    async def close(self) -> None:
        for each in (self._reader, self._link, self._links):
            await each.close()
