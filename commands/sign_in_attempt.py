"""One try at a password: counted before anybody looks at it, and made good or remembered after (threats.md 16)."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from commands.context import Context
from commands.find_account import Found
from commands.known_networks import network_mac
from commands.login_names import GuardedName
from commands.ports import AttemptOutcome, Commit, GuardReading, Ports, PresentedDevice, StreamWrite
from commands.sign_in_signals import Origin, origin_of, suspicious_signals
from commands.transact import Transaction, read_states, transact
from domain import sign_in_guard
from domain.account import Account
from domain.errors import StoreUnavailable
from domain.ids import CommandId, UserId
from domain.sign_in_guard import COUNTER_TTL, DELAY_AFTER
from domain.suspicion import Signal


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try, and how the guard took it."""

    found: Found
    name_mac: bytes
    device: PresentedDevice | None
    """A device that is known for this account."""
    device_mac: bytes | None
    network: bytes | None
    origin: Origin
    reading: GuardReading

    def signals(self, ports: Ports) -> tuple[Signal, ...]:
        return suspicious_signals(self.origin, self.reading, ports, known_device=self.device is not None)

    async def forgive(self, ports: Ports) -> None:
        """The password was right and enough: begin to count anew, and know where from and on what."""
        facts = () if self.reading.facts_are_fresh else self.origin.facts
        await ports.guard.forgive(self.name_mac, device_mac=self.device_mac, network_mac=self.network, facts=facts)

    async def forgive_guessing(self, ports: Ports) -> None:
        """The password was right and opens nothing: nobody guessed."""
        await ports.guard.forgive(self.name_mac, device_mac=self.device_mac)

    async def take_back(self, ports: Ports) -> None:
        """Nobody guessed: who tries again when we are better must not find the door locked for it."""
        if self.reading.may_try:
            with suppress(StoreUnavailable):
                await ports.guard.take_back(self.name_mac, reading=self.reading)


async def count_attempt(name: GuardedName, found: Found, device: PresentedDevice | None, ctx: Context, ports: Ports) -> Attempt:
    name_mac = ports.macs.login_name(_counted_as(name, found))
    device_mac = None if device is None else ports.macs.device(device.device_id)
    network = network_mac(found.account, ctx, ports)
    origin = origin_of(name_mac, ctx, ports)
    reading = await ports.guard.admit(name_mac, device_mac=device_mac, network_mac=network, facts=origin.facts)
    await _recall_lock(name_mac, found, reading, ports)
    return Attempt(found, name_mac, device, device_mac, network, origin, reading)


async def remember_failure(attempt: Attempt, ctx: Context, ports: Ports) -> None:
    """Keep a row of it, and an event where it began the lock of a real account."""
    found, reading = attempt.found, attempt.reading
    account = found.account
    user_id: UUID | None = None if account is None else account.user_id
    await ports.guard.refused(attempt.name_mac, user_id=user_id, outcome=_outcome(attempt), known_device=attempt.device is not None)
    if reading.lock_began and reading.locked_until is not None:
        if account is None:
            await _remember_nothing(ctx, ports)
        else:
            await _remember_lock(account, reading.failures, reading.locked_until, ctx, ports)


def _outcome(attempt: Attempt) -> AttemptOutcome:
    if not attempt.reading.may_try:
        return AttemptOutcome.LOCKED
    if attempt.found.account is None:
        return AttemptOutcome.UNKNOWN_NAME
    return AttemptOutcome.WRONG_PASSWORD if attempt.found.active else AttemptOutcome.SUSPENDED


def _counted_as(name: GuardedName, found: Found) -> str:
    """An account has one counter, whichever of its names is used: guessing under both earns no second hundred."""
    return name.counted_as if found.account is None else f"account:{found.account.user_id}"


async def _recall_lock(name_mac: bytes, found: Found, reading: GuardReading, ports: Ports) -> None:
    """A crash of the database forgets counters; the log does not forget a lock: its name starts again where waits begin."""
    since = reading.counting_since
    if since is None or found.locked_at is None or reading.failures >= DELAY_AFTER:
        return
    if found.locked_at < since and reading.at - found.locked_at < timedelta(seconds=COUNTER_TTL):
        await ports.guard.seed(name_mac, DELAY_AFTER)


async def _remember_nothing(ctx: Context, ports: Ports) -> None:
    """Cost an unknown name what remembering its lock costs a real account: a read, and a write of no events."""
    stream = sign_in_guard.stream(UserId(ports.random.uuid7()))
    await read_states(ports, [(sign_in_guard.decider, stream)])
    nothing = StreamWrite(stream=stream, expected=0, events=(), state=b"", state_version=sign_in_guard.decider.state_version)
    command_id = CommandId(ports.random.uuid7())
    commit = Commit(
        command_id=command_id,
        actor=ctx.actor,
        session_id=None,
        correlation_id=ctx.correlation_id,
        causation_id=None,
        writes=(nothing,),
    )
    await ports.store.append(commit)


async def _remember_lock(account: Account, failures: int, until: datetime, ctx: Context, ports: Ports) -> None:
    stream = sign_in_guard.stream(account.user_id)

    def decide(tx: Transaction) -> None:
        events = sign_in_guard.lock(
            tx.state(sign_in_guard.decider, stream),
            user_id=account.user_id,
            failures=failures,
            until=until,
            at=tx.at,
        )
        tx.record(sign_in_guard.decider, stream, events)

    await transact(ports, ctx, [(sign_in_guard.decider, stream)], decide)
