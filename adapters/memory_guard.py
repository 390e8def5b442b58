"""Sign-in counters that live as long as their process, with a clock that tests set."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from msgspec import structs

from adapters.guard import KNOWN_NETWORK_TTL, KNOWN_NETWORKS, OWN_BUDGET
from commands.ports import AttemptOutcome, GuardReading, KeptAttempt
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
        self._networks: dict[bytes, dict[bytes, datetime]] = {}
        self.attempts: list[tuple[bytes, UUID | None, AttemptOutcome, bool]] = []
        self._attempted_at: list[datetime] = []

    async def admit(
        self,
        name_mac: bytes,
        *,
        device_mac: bytes | None,
        network_mac: bytes | None = None,
        patience: Patience = PASSWORDS,
        facts: Sequence[bytes] = (),
    ) -> GuardReading:
        remembered = self._facts.get(name_mac)
        known = None if remembered is None else frozenset(remembered & set(facts))
        own = self._own(name_mac, device_mac, network_mac)
        return structs.replace(self._admit(name_mac, own, patience), known_facts=known)

    def _admit(self, name_mac: bytes, own: bytes | None, patience: Patience) -> GuardReading:
        at = self._clock()
        if own is not None:
            counter = self._counter(name_mac, own, at)
            if counter.failures < OWN_BUDGET:
                counter.failures += 1
                counter.expires_at = at + timedelta(seconds=patience.ttl)
                return GuardReading(failures=counter.failures, locked_until=None, at=at, own=own, counting_since=self._since)
            counter.failures = OWN_BUDGET + 1
        return self._admit_as_everybody(name_mac, at, patience)

    def _own(self, name_mac: bytes, device_mac: bytes | None, network_mac: bytes | None) -> bytes | None:
        """Give what has a budget of its own: a known device, or else a network that is known."""
        if device_mac is not None or network_mac is None:
            return device_mac
        until = self._networks.get(name_mac, {}).get(network_mac)
        return network_mac if until is not None and until > self._clock() else None

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

    async def forgive(
        self, name_mac: bytes, *, device_mac: bytes | None, network_mac: bytes | None = None, facts: Sequence[bytes] = ()
    ) -> None:
        if facts:
            self._facts.setdefault(name_mac, set()).update(facts)
        own = self._own(name_mac, device_mac, network_mac)
        if network_mac is not None:
            known = self._networks.setdefault(name_mac, {})
            known.pop(network_mac, None)
            known[network_mac] = self._clock() + timedelta(seconds=KNOWN_NETWORK_TTL)
            for oldest in [*known][:-KNOWN_NETWORKS]:
                del known[oldest]
        if own is None:
            self._counters.pop((name_mac, None), None)
            return
        counter = self._counters.pop((name_mac, own), None)
        if counter is not None and counter.failures > OWN_BUDGET:
            self._counters.pop((name_mac, None), None)

    async def take_back(self, name_mac: bytes, *, reading: GuardReading) -> None:
        counter = self._counters.get((name_mac, reading.own))
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
        self._attempted_at.append(self._clock())

    async def attempts_of(self, user_id: UUID, *, since: datetime, until: datetime, limit: int) -> Sequence[KeptAttempt]:
        kept = [
            KeptAttempt(at=at, outcome=outcome, known_device=known)
            for at, (_, of_user, outcome, known) in zip(self._attempted_at, self.attempts, strict=True)
            if of_user == user_id and since <= at < until
        ]
        return kept[::-1][:limit]

    def _counter(self, name_mac: bytes, device_mac: bytes | None, at: datetime) -> _Counter:
        counter = self._counters.get((name_mac, device_mac))
        if counter is None or counter.expires_at <= at:
            counter = _Counter(failures=0, expires_at=at + timedelta(seconds=COUNTER_TTL))
            self._counters[name_mac, device_mac] = counter
        return counter
