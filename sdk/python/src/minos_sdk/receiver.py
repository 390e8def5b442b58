"""Where every feed brings what it gets: verified here, merged here, and counted here. What does not verify changes nothing."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping

from minos_sdk.errors import KeysUnavailable
from minos_sdk.facts import Fact
from minos_sdk.jws import Malformed
from minos_sdk.ports import Clock, KeySource, StopCalling
from minos_sdk.progress import LATE_S, Freshness, Known, Progress, freshness_at, oldest
from minos_sdk.revocations import Revocations
from minos_sdk.signal_sets import Beat, Place, SetReader, Signal, Snapshot
from minos_sdk.trouble import Trouble

log = logging.getLogger("minos_sdk")
ACCESS = "access"
_WITHOUT_PAUSE = 500


class Receiver:
    """Of one issuer's signals, for one audience. For one event loop."""

    def __init__(self, *, issuer: str, audience: str, keys: KeySource, clock: Clock) -> None:
        self.issuer = issuer
        self.audience = audience
        self.revocations = Revocations(audience)
        self.classes: Mapping[str, Progress] = {ACCESS: Progress(), f"roles.{audience}": Progress()}
        self.wall_offset = clock.time() - clock.monotonic()
        """What makes seconds since 1970 of the monotonic clock: by the issuer's clock or the one here, whichever is ahead."""
        self.blind_at = float("-inf")
        """The time of the monotonic clock from which on not enough is known."""
        self.once_ready = asyncio.Event()
        self.counts: Counter[str] = Counter()
        self.checkpoint: str | None = None
        """Of the issuer's log, as a heartbeat told it last: for a `LogWatch`, which believes nothing of it unverified."""
        self.trouble = Trouble(clock.monotonic)
        self._reader = SetReader(issuer, keys)
        self._clock = clock
        self._issuer_offset = float("-inf")
        self._callbacks: dict[object, Callable[[Fact], None]] = {}

    def monotonic(self) -> float:
        """Seconds of the clock that freshness is measured by."""
        return self._clock.monotonic()

    @property
    def is_ready(self) -> bool:
        """Whether all that there was has been known at least once."""
        return oldest(self.classes.values()) > float("-inf")

    @property
    def freshness(self) -> Freshness:
        return freshness_at(self._clock.monotonic() - oldest(self.classes.values()))

    def on_fact(self, callback: Callable[[Fact], None]) -> StopCalling:
        """Have `callback` called, in the event loop, with each fact that is news."""
        key = object()
        self._callbacks[key] = callback
        return lambda: void(self._callbacks.pop(key, None))

    async def signal(self, token: str) -> Signal | Beat | None:
        """Verify and merge what came. None for what is dropped: it is no SET of this issuer, or cannot be verified now."""
        try:
            told = await self._reader.signal(token)
        except Malformed as bad:
            self.counts[f"dropped_{bad.reason}"] += 1
            self._doubt(bad)
            return None
        except KeysUnavailable:
            self.counts["dropped_no_keys"] += 1
            return None
        if isinstance(told, Signal):
            self.merge(told.fact)
        return told

    async def snapshot(self, token: str, *, asked_at: float | None, known: Mapping[str, Known] | None = None) -> bool:
        """Take in all there is at once, or what came since, as it was asked for at a time of the monotonic clock.

        `asked_at` is None for one that was made earlier, and so says nothing of now. `known`: how far each class was known when it was
        asked for.

        False when it is no snapshot of this issuer, lacks a class that is needed here, or builds on more than is known here.
        """
        try:
            told = await self._reader.snapshot(token)
        except (Malformed, KeysUnavailable) as bad:
            self.counts["dropped_snapshot"] += 1
            self._doubt(bad)
            return False
        if not self._builds_on_what_is_known(told):
            self.counts["dropped_snapshot"] += 1
            return False
        self.counts["snapshots"] += 1
        for number, fact in enumerate(told.facts, 1):
            self.merge(fact)
            if number % _WITHOUT_PAUSE == 0:
                await asyncio.sleep(0)
        for name, progress in self.classes.items():
            place = Known(told.classes[name].epoch, told.classes[name].count)
            if known is not None and name not in told.after and place.is_set_back_from(known[name]):
                progress.set_back(place)
            progress.reached(place.epoch, place.count)
            if asked_at is not None:
                self.complete(name, told.complete_to, at=asked_at)
        return True

    def _builds_on_what_is_known(self, told: Snapshot) -> bool:
        if not told.classes.keys() >= self.classes.keys():
            return False
        behind = ((told.classes[name].epoch, told.after[name], known) for name, known in self.classes.items() if name in told.after)
        return all(epoch == known.epoch and after <= known.count for epoch, after, known in behind)

    def _doubt(self, bad: Malformed | KeysUnavailable) -> None:
        """Genuine, and of an issuer by another name: what is wrong is how this service was set up."""
        if isinstance(bad, Malformed) and bad.reason == "issuer":
            self.trouble.begins(f"their issuer is not called {self.issuer}: it has to be, letter by letter, the MINOS_ISSUER of Minos")

    def reached(self, place: Place) -> None:
        """Note that all signals of a class are known up to a place."""
        if (progress := self.classes.get(place.of_class)) is not None:
            progress.reached(place.epoch, place.count)

    def beat(self, beat: Beat, *, at: float | None = None) -> bool:
        """Take in a heartbeat of a time of the monotonic clock. False when it tells of signals not known here: nothing is complete then."""
        self.counts["heartbeats"] += 1
        self.checkpoint = beat.checkpoint or self.checkpoint
        progress = self.classes.get(beat.newest.of_class)
        if progress is None:
            return True
        if progress.lacks(beat.newest.epoch, beat.newest.count):
            return False
        if beat.running and beat.newest.epoch == progress.epoch:
            self.complete(beat.newest.of_class, beat.complete_to, at=at)
        return True

    @property
    def known(self) -> Mapping[str, Known]:
        """How far all is known of each class."""
        return {name: Known(each.epoch, each.count) for name, each in self.classes.items()}

    @property
    def place(self) -> str:
        """How far all is known, as Minos writes it; empty before anything is."""
        known = self.classes.items()
        return ",".join(f"{name}:{each.epoch}:{each.count}" for name, each in known) if all(each.epoch for _, each in known) else ""

    def complete(self, of_class: str, complete_to: float, *, at: float | None = None) -> None:
        """Note that all is known of a class that was committed before a time of the issuer's clock."""
        now = self._clock.monotonic()
        self.classes[of_class].complete(complete_to, now if at is None else at, now)
        self._set_clock(complete_to - now)
        self.revocations.prune(complete_to)
        self._look_ahead()
        if now < self.blind_at:
            self.trouble.ends()

    def _set_clock(self, issuer_offset: float) -> None:
        """A clock here that is behind lets no token live longer (and one that is ahead only shortens lives)."""
        self._issuer_offset = max(self._issuer_offset, issuer_offset)
        self.wall_offset = max(self._clock.time() - self._clock.monotonic(), self._issuer_offset)

    def _look_ahead(self) -> None:
        self.blind_at = oldest(self.classes.values()) + LATE_S
        if self.is_ready:
            self.once_ready.set()

    def merge(self, fact: Fact | None) -> None:
        """Take in a fact that was verified; None stands for a kind that is not known here."""
        if fact is None:
            self.counts["unknown_kind"] += 1
        elif self.revocations.merge(fact):
            self.counts["merged"] += 1
            for callback in tuple(self._callbacks.values()):
                try:
                    callback(fact)
                except Exception:  # a callback of the service's own must not keep signals from the others
                    log.exception("a callback on a revocation failed")
        else:
            self.counts["known_already"] += 1


def void(_: object) -> None:
    """Say that an answer is of no use."""
