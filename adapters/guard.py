"""Sign-in attempts counted per login name in an unlogged table, before any password is looked at (threats.md 16)."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

from adapters.postgres_links import Links
from adapters.postgres_sql import statements
from commands.ports import AttemptOutcome, GuardReading, KeptAttempt
from domain.sign_in_guard import COUNTER_TTL, PASSWORDS, Patience

SQL = statements(Path(__file__).with_suffix(".sql"))
OWN_BUDGET = 10
"""Failures a known device or network may have of its own before it counts as everybody else."""
KNOWN_NETWORKS = 4
"""Of one name: those it signed in from last."""
KNOWN_NETWORK_TTL = 90 * 86_400
_NONE = b""


class PostgresGuard:
    """commands.ports.SignInGuard. Counters live their patience's `ttl` from the last attempt that was counted.

    During a lock attempts are turned away uncounted, so a name is never locked for longer than its own failures earn.
    A crash of the database empties the counters: readings say since when they count.
    """

    def __init__(self, links: Links) -> None:
        self._links = links

    async def admit(
        self,
        name_mac: bytes,
        *,
        device_mac: bytes | None,
        network_mac: bytes | None = None,
        patience: Patience = PASSWORDS,
        facts: Sequence[bytes] = (),
    ) -> GuardReading:
        """Count one attempt in one statement. Raises StoreUnavailable; then it may have been counted."""
        own_macs = (device_mac or _NONE, network_mac or _NONE)
        rows = await self._links.run(SQL["admit"], name_mac, *own_macs, OWN_BUDGET, patience.waits, patience.ttl, list(facts))
        failures, refused, locked_until, at, since, own, known, fresh, met = rows[0]
        return GuardReading(
            failures=failures,
            locked_until=locked_until,
            at=at,
            lock_began=locked_until is not None and not refused,
            own=own,
            known_facts=frozenset(known or ()) if met else None,
            facts_are_fresh=fresh,
            counting_since=since,
        )

    async def forgive(
        self, name_mac: bytes, *, device_mac: bytes | None, network_mac: bytes | None = None, facts: Sequence[bytes] = ()
    ) -> None:
        own_macs = (device_mac or _NONE, network_mac or _NONE)
        await self._links.read(SQL["forgive"], name_mac, *own_macs, OWN_BUDGET, KNOWN_NETWORK_TTL, KNOWN_NETWORKS, list(facts))

    async def take_back(self, name_mac: bytes, *, reading: GuardReading) -> None:
        await self._links.run(SQL["take_back"], name_mac, reading.own or _NONE, reading.locked_until)

    async def seed(self, name_mac: bytes, failures: int) -> None:
        await self._links.read(SQL["seed"], name_mac, failures, COUNTER_TTL)

    async def refused(self, name_mac: bytes, *, user_id: UUID | None, outcome: AttemptOutcome, known_device: bool) -> None:
        await self._links.run(SQL["keep_refused"], name_mac, user_id, outcome, known_device)

    async def attempts_of(self, user_id: UUID, *, since: datetime, until: datetime, limit: int) -> Sequence[KeptAttempt]:
        rows = await self._links.read(SQL["attempts_of"], user_id, since, until, limit)
        return [KeptAttempt(at=row[0], outcome=AttemptOutcome(row[1]), known_device=row[2]) for row in rows]
