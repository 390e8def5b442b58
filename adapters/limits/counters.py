"""Who has asked how often, in the memory of one process: decided at once, without a question to anybody.

Each rate of each key is a bucket, kept as the one moment at which it will be full again (GCRA, ITU-T I.371): a request moves it
on by the rate's interval, and is refused where that would be further off than the bucket is large. Refused requests move nothing.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from adapters.limits.policy import Kind, LimitClass, Rate

MOST = 32_768
"""Keys remembered by one process, of all rules together; some 12 MB."""
MOST_PENDING = 16_384
"""Keys whose use others are still to be told of."""
_LOOKS, _HOT = 8, 0.5
_EXACT = 1e-6
_URGENT_SHARE = 4
"""A key that used a quarter of one of its rates since others were told is told of at once."""


class Refusal(NamedTuple):
    """Why a request is not let in. `wait`: seconds until the same request would be."""

    counter: "Counter"
    wait: float


class Rule:
    """The rates of one kind in one class, and the counter of every key that was met."""

    __slots__ = ("counters", "hurry_at", "intervals", "kind", "latest", "name", "names", "rates", "windows")

    def __init__(self, of: str, kind: Kind, rates: Sequence[Rate]) -> None:
        self.kind = kind
        self.name = f"{of}/{kind}"
        self.rates = tuple(rates)
        self.names = tuple((f'"{of}-{kind}-{rate.seconds}"'.encode(), rate.amount) for rate in rates)
        self.windows = tuple((rate.interval, float(rate.seconds)) for rate in rates)
        self.intervals = tuple(rate.interval for rate in rates)
        self.latest = tuple(rate.seconds - rate.interval + _EXACT for rate in rates)
        """How far off a bucket's being full may be for one more to be let in."""
        self.hurry_at = max(1, min(rate.amount for rate in rates) // _URGENT_SHARE)
        self.counters: OrderedDict[str, Counter] = OrderedDict()
        """Oldest first; a plain dict would look through the gaps that forgotten ones leave at its front."""

    def __repr__(self) -> str:
        return f"Rule({self.name}, {', '.join(map(str, self.rates))})"

    def policy(self) -> bytes:
        """Write its rates as items of a RateLimit-Policy field (draft-ietf-httpapi-ratelimit-headers-11, 3.1)."""
        return b", ".join(
            b"%s;q=%d;w=%d" % (name, amount, rate.seconds) for (name, amount), rate in zip(self.names, self.rates, strict=True)
        )


class Counter:
    """One key under one rule. `full_at`: when each bucket is full again, on this process's monotonic clock."""

    __slots__ = ("digests", "full_at", "key", "pending", "queued", "rule")

    def __init__(self, rule: Rule, key: str) -> None:
        self.rule = rule
        self.key = key
        self.full_at = [0.0] * len(rule.windows)
        self.pending = 0
        """Requests let in that others were not told of."""
        self.queued = False
        self.digests: tuple[bytes, ...] | None = None

    def __repr__(self) -> str:
        return f"Counter({self.rule.name})"

    def wait(self, now: float) -> float:
        """Give how long until one more may come; 0 or less where it may now."""
        wait = 0.0
        for full_at, (interval, period) in zip(self.full_at, self.rule.windows, strict=True):
            late = full_at + interval - period - now
            wait = max(wait, late)
        return wait if wait > _EXACT else 0.0

    def used(self, now: float) -> float:
        """Give how much of its fullest rate is used up: 0 for a key that may be forgotten, 1 and more for one that is refused."""
        return max((full_at - now) / period for full_at, (_, period) in zip(self.full_at, self.rule.windows, strict=True))

    def learn(self, backlogs: Sequence[float], now: float) -> None:
        """Take in what all processes have used: seconds until each bucket is full, without what is still to be told.

        Never less than is known here: a store that was emptied forgets, we do not.
        """
        for i, backlog in enumerate(backlogs):
            everybodys = now + backlog + self.pending * self.rule.windows[i][0]
            self.full_at[i] = max(self.full_at[i], everybodys)

    def told(self, now: float) -> bytes:
        """Write the rate with the least left as an item of a RateLimit field (draft, 4.1)."""
        least, tightest, full_in = math.inf, 0, 0.0
        for i, (interval, period) in enumerate(self.rule.windows):
            spent = max(self.full_at[i] - now, 0.0)
            left = (period - spent) / interval
            if left < least:
                least, tightest, full_in = left, i, spent
        return b"%s;r=%d;t=%d" % (self.rule.names[tightest][0], least + _EXACT if least > 0 else 0, math.ceil(full_in - _EXACT))

    def told_refused(self, wait: int) -> bytes:
        """As `told`, to who is refused for so many seconds."""
        late = [full_at + interval - period for full_at, (interval, period) in zip(self.full_at, self.rule.windows, strict=True)]
        return b"%s;r=0;t=%d" % (self.rule.names[late.index(max(late))][0], wait)


class Counters:
    """Every rule's counters, bounded together.

    When there are too many, room is made in the rule that has most: its oldest keys are looked at, and the first goes that has used
    less than half of what it may; those that have used more are kept for longer. A flood of new keys pushes out its own, and to be
    forgotten a key that is close to its limit has to be outnumbered by as many that are too, each of which was let in that often.
    """

    def __init__(self, *, most: int = MOST, clock: Callable[[], float] = time.monotonic, hurry: Callable[[], None] = lambda: None) -> None:
        self.clock = clock
        self.hurry = hurry
        """Called where others should be told soon."""
        self._most = most
        self._size = 0
        self._rules: list[Rule] = []
        self._pending: list[Counter] = []

    def __len__(self) -> int:
        return self._size

    def rules(self, limits: LimitClass) -> dict[Kind, Rule]:
        """Make the rules of a class; a kind without rates has none."""
        made = {kind: Rule(limits.name, kind, rates) for kind, rates in limits.rates.items() if rates}
        self._rules += made.values()
        return made

    def met(self, rule: Rule, key: str) -> Counter:
        """Give the counter of a key, a new one where it is not known."""
        counter = rule.counters.get(key)
        if counter is None:
            if self._size >= self._most:
                self._make_room()
            counter = rule.counters[key] = Counter(rule, key)
            self._size += 1
        return counter

    def take(self, counters: Sequence[Counter], now: float) -> Refusal | None:
        """Count one request under all of these, or say which of them refuses it; then none is counted."""
        for counter in counters:
            full = counter.full_at
            for i, latest in enumerate(counter.rule.latest):
                if full[i] - latest > now:
                    return Refusal(counter, counter.wait(now))
        for counter in counters:
            self.count(counter, now)
        return None

    def count(self, counter: Counter, now: float) -> None:
        """Count one request, whatever is left."""
        rule, full = counter.rule, counter.full_at
        for i, interval in enumerate(rule.intervals):
            full[i] = max(full[i], now) + interval
        counter.pending += 1
        if not counter.queued:
            self._queue(counter)
        if counter.pending >= rule.hurry_at:
            self.hurry()

    def take_pending(self, most: int) -> Sequence[tuple[Counter, int]]:
        """Give what others are to be told of now, and how many requests of each: those closest to their limits first.

        Where that is not all, what is past telling is dropped: buckets that are full again.
        """
        now, waiting = self.clock(), self._pending
        if len(waiting) > most:
            waiting = sorted(waiting, key=lambda each: -each.used(now))
        taken, self._pending = waiting[:most], [each for each in waiting[most:] if each.used(now) > 0]
        for counter in waiting[most:]:
            counter.queued = counter.used(now) > 0
        told = [(counter, counter.pending) for counter in taken]
        for counter in taken:
            counter.queued, counter.pending = False, 0
        return told

    def put_back(self, told: Iterable[tuple[Counter, int]]) -> None:
        """Tell the others later: they could not be told."""
        for counter, count in told:
            counter.pending += count
            self._queue(counter)

    def _queue(self, counter: Counter) -> None:
        if not counter.queued and len(self._pending) < MOST_PENDING:
            counter.queued = True
            self._pending.append(counter)

    def _make_room(self) -> None:
        rule = max(self._rules, key=lambda each: len(each.counters))
        now, known = self.clock(), rule.counters
        coolest, least = "", math.inf
        for _ in range(_LOOKS):
            key = next(iter(known))
            used = known[key].used(now)
            if used < least:
                coolest, least = key, used
            if used < _HOT:
                break
            known.move_to_end(key)
        del known[coolest]
        self._size -= 1
