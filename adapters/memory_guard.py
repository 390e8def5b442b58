"""Sign-in counters that live as long as their process, with a clock that tests set."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from msgspec import structs

from adapters.guard import DEVICE_BUDGET
from commands.ports import AttemptOutcome, GuardReading
from domain.sign_in_guard import COUNTER_TTL, PASSWORDS, Patience


@dataclass(slots=True)
class _Counter:
    failures: int
    expires_at: datetime
    locked_until: datetime | None = None


class MemoryGuard:
    """commands.ports.SignInGuard, under the same suite as the one in Postgres."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self._since = clock()
        self._counters: dict[tuple[bytes, bytes | None], _Counter] = {}
        self._facts: dict[bytes, set[bytes]] = {}
        self.attempts: list[tuple[bytes, UUID | None, AttemptOutcome, bool]] = []

    async def admit(
        self, name_mac: bytes, *, device_mac: bytes | None, patience: Patience = PASSWORDS, facts: Sequence[bytes] = ()
    ) -> GuardReading:
        remembered = self._facts.get(name_mac)
        known = None if remembered is None else frozenset(remembered & set(facts))
        return structs.replace(self._admit(name_mac, device_mac, patience), known_facts=known)

    def _admit(self, name_mac: bytes, device_mac: bytes | None, patience: Patience) -> GuardReading:
        at = self._clock()
        if device_mac is not None:
            device = self._counter(name_mac, device_mac, at)
            if device.failures < DEVICE_BUDGET:
                device.failures += 1
                device.expires_at = at + timedelta(seconds=patience.ttl)
                return GuardReading(failures=device.failures, locked_until=None, at=at, by_device=True, counting_since=self._since)
            device.failures = DEVICE_BUDGET + 1
        return self._admit_as_everybody(name_mac, at, patience)

    def _admit_as_everybody(self, name_mac: bytes, at: datetime, patience: Patience) -> GuardReading:
        counter = self._counter(name_mac, None, at)
        locked = counter.locked_until is not None and counter.locked_until > at
        if not locked:
            counter.failures += 1
            counter.expires_at = at + timedelta(seconds=patience.ttl)
            wait = patience.after(counter.failures)
            counter.locked_until = at + wait if wait else None
        return GuardReading(
            failures=counter.failures,
            locked_until=counter.locked_until,
            at=at,
            lock_began=counter.locked_until is not None and not locked,
            counting_since=self._since,
        )

    async def forgive(self, name_mac: bytes, *, device_mac: bytes | None, facts: Sequence[bytes] = ()) -> None:
        if facts:
            self._facts.setdefault(name_mac, set()).update(facts)
        if device_mac is None:
            self._counters.pop((name_mac, None), None)
            return
        device = self._counters.pop((name_mac, device_mac), None)
        if device is not None and device.failures > DEVICE_BUDGET:
            self._counters.pop((name_mac, None), None)

    async def take_back(self, name_mac: bytes, *, device_mac: bytes | None, reading: GuardReading) -> None:
        counter = self._counters.get((name_mac, device_mac if reading.by_device else None))
        if counter is None:
            return
        counter.failures = max(counter.failures - 1, 0)
        if counter.locked_until == reading.locked_until:
            counter.locked_until = None

    async def seed(self, name_mac: bytes, failures: int) -> None:
        counter = self._counter(name_mac, None, self._clock())
        counter.failures = max(counter.failures, failures)

    async def refused(self, name_mac: bytes, *, user_id: UUID | None, outcome: AttemptOutcome, known_device: bool) -> None:
        self.attempts.append((name_mac, user_id, outcome, known_device))

    def _counter(self, name_mac: bytes, device_mac: bytes | None, at: datetime) -> _Counter:
        counter = self._counters.get((name_mac, device_mac))
        if counter is None or counter.expires_at <= at:
            counter = _Counter(failures=0, expires_at=at + timedelta(seconds=COUNTER_TTL))
            self._counters[name_mac, device_mac] = counter
        return counter
