"""A second factor is looked at. What was right is used up in the append that it was shown for, so that it counts once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Annotated, assert_never

from msgspec import Meta

from commands.context import Context
from commands.ports import GuardReading, Ports
from commands.sign_in_challenge import Factor
from commands.transact import Transaction, transact
from domain import factors, recovery_code, totp
from domain.errors import FactorBlocked, FactorPaused, InvalidFactor, ProofIncomplete
from domain.event import Erased, Sealed
from domain.factor_events import FactorEvent
from domain.factor_guard import CODES, PAUSE_AFTER, needs_recovery
from domain.factor_state import Factors, Totp
from domain.ids import UserId
from domain.session_events import AuthMethod

CodeText = Annotated[
    str, Meta(min_length=1, max_length=64, description="As it is shown; spaces and hyphens do not matter.", examples=["123456"])
]


@dataclass(frozen=True, slots=True)
class Shower:
    """Who shows something, and on which counter their wrong codes are."""

    user_id: UserId
    factors: Factors
    counter: bytes = b""
    """Nothing is counted of who shows no codes."""
    device: bytes | None = None
    """A known device, or a session, has a budget of its own: strangers cannot use it up."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a right factor is worth, and how it is used up."""

    methods: tuple[AuthMethod, ...]
    use: Callable[[Factors, datetime], Sequence[FactorEvent]]
    counted: GuardReading | None = None
    """The attempt that it was, for who takes it back: a right code is no failure."""

    def record(self, tx: Transaction, user_id: UserId) -> None:
        """Raises InvalidFactor where it was used up meanwhile."""
        stream = factors.stream(user_id)
        tx.record(factors.decider, stream, self.use(tx.state(factors.decider, stream), tx.at))


async def show_code(factor: Factor, code: str, who: Shower, ctx: Context, ports: Ports, *, at: datetime) -> Shown:
    """Raises InvalidFactor, ProofIncomplete for what is no code by itself, FactorPaused or FactorBlocked after too many wrong ones."""
    match factor:
        case Factor.TOTP:
            return await _show_totp(code, who, ctx, ports, at=at)
        case Factor.RECOVERY_CODE:
            return await _show_recovery_code(code, who, ports)
        case Factor.PASSKEY | Factor.EMAIL:
            raise ProofIncomplete
        case _:
            assert_never(factor)


async def _show_totp(code: str, who: Shower, ctx: Context, ports: Ports, *, at: datetime) -> Shown:
    enrolled = who.factors.totp
    if enrolled is None:
        raise InvalidFactor
    seed = await open_seed(enrolled.seed, who.user_id, ports)  # before the attempt counts: a store may be away
    reading = await take_turn(who, ports)
    step = None if seed is None else totp.matching_step(seed, plain(code), at=at, after=enrolled.step)
    if step is None:
        await remember_pause(who.user_id, reading, ctx, ports)
        raise InvalidFactor
    return Shown((AuthMethod.OTP,), _using(enrolled, who.user_id, step), reading)


def _using(enrolled: Totp, user_id: UserId, step: int) -> Callable[[Factors, datetime], Sequence[FactorEvent]]:
    def use(now: Factors, at: datetime) -> Sequence[FactorEvent]:
        return factors.use_totp(now, user_id=user_id, factor_id=enrolled.factor_id, step=step, at=at)

    return use


async def take_turn(who: Shower, ports: Ports) -> GuardReading:
    """Count a try at a code. Raises FactorPaused, FactorBlocked where none is looked at."""
    reading = await ports.guard.admit(who.counter, device_mac=who.device, patience=CODES)
    await _recall_pause(who, reading, ports)
    _require_turn(who.factors, reading)
    return reading


def _require_turn(enrolled: Factors, reading: GuardReading) -> None:
    """Raise where no code is looked at now. A pause that this very attempt began is for the next one."""
    if reading.own is not None:
        return
    if enrolled.blocked:
        raise FactorBlocked
    if not reading.may_try and reading.locked_until is not None:
        if needs_recovery(reading.failures):
            raise FactorBlocked
        raise FactorPaused(max(1, round((reading.locked_until - reading.at).total_seconds())))


async def _recall_pause(who: Shower, reading: GuardReading, ports: Ports) -> None:
    """A crash of the database forgets counters; the log does not forget a pause: counting starts again where pauses begin."""
    paused_at, since = who.factors.paused_at, reading.counting_since
    if paused_at is not None and since is not None and paused_at < since and reading.failures < PAUSE_AFTER and reading.own is None:
        await ports.guard.seed(who.counter, PAUSE_AFTER)


async def remember_pause(user_id: UserId, reading: GuardReading, ctx: Context, ports: Ports) -> None:
    """Append that wrong codes began a pause, where this one did."""
    if not reading.lock_began:
        return
    stream = factors.stream(user_id)

    def decide(tx: Transaction) -> None:
        state = tx.state(factors.decider, stream)
        # Where nothing is enrolled there is nothing to recover with: the counter's own time, or a new password, ends it.
        until = None if needs_recovery(reading.failures) and state.enrolled else reading.locked_until
        tx.record(factors.decider, stream, factors.pause_guessing(state, user_id=user_id, failures=reading.failures, until=until, at=tx.at))

    await transact(ports, ctx, [(factors.decider, stream)], decide)


async def _show_recovery_code(code: str, who: Shower, ports: Ports) -> Shown:
    """Not counted: there are 2^60 of them, and it has to help whoever's codes are paused by a stranger's guesses."""
    recovery = who.factors.recovery
    if recovery is None:
        raise InvalidFactor
    kept = await ports.vault.open(recovery.verifiers, stream=factors.stream(who.user_id), field="verifiers")
    wanted = [mac.hex() for mac in ports.recovery.candidates(who.user_id, recovery_code.normalise(code))]
    found = None
    for number, verifier in enumerate(() if isinstance(kept, Erased) else kept.split()):
        if any(compare_digest(verifier, one) for one in wanted):
            found = number
    if found is None:
        raise InvalidFactor
    return Shown((AuthMethod.RECOVERY,), _using_recovery(recovery.verifiers, who.user_id, found))


def _using_recovery(verifiers: Sealed, user_id: UserId, number: int) -> Callable[[Factors, datetime], Sequence[FactorEvent]]:
    def use(now: Factors, at: datetime) -> Sequence[FactorEvent]:
        return factors.use_recovery_code(now, user_id=user_id, verifiers=verifiers, number=number, at=at)

    return use


async def open_seed(sealed: Sealed, user_id: UserId, ports: Ports) -> bytes | None:
    text = await ports.vault.open(sealed, stream=factors.stream(user_id), field="seed")
    return None if isinstance(text, Erased) else bytes.fromhex(text)


def plain(code: str) -> str:
    """Give a code without the spaces and hyphens that people put in to read it."""
    return "".join(character for character in code if character not in " -")
