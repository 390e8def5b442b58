"""A person's second factors as they were at an earlier moment: whoever has an account in hand since cannot take away what is asked of its
owner, nor what its owner has to show."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec.structs import replace

from domain import factors
from domain.factor_events import FactorEvent, FactorRemoved, PasskeyUsed, RecoveryCodeUsed, TotpUsed, WhyRemoved
from domain.factor_state import Factors, RecoveryCodes, Totp, evolve


def held_at(events: Iterable[FactorEvent], at: datetime) -> Factors:
    """Give what there was before that moment, also what was replaced or taken away since. Each part is as it was last seen, so that
    nothing counts twice. Once an administrator took a factor away, who made sure by other means who asked, only what is left counts."""
    now = then = Factors()
    for event in events:
        now = evolve(now, event)
        if event.at < at:
            then = now
        elif isinstance(event, FactorRemoved) and event.why is WhyRemoved.ADMINISTRATOR:
            then = _left_of(then, now)
        else:
            then = kept_up(then, now)
    return then


def kept_up(then: Factors, now: Factors) -> Factors:
    """Give them with what was used up since of what is still there, and the pauses that guessing brought."""
    passkeys = {passkey.factor_id: passkey for passkey in now.passkeys}
    return replace(
        then,
        totp=now.totp if now.totp is not None and _is_same(then.totp, now.totp) else then.totp,
        passkeys=tuple(passkeys.get(passkey.factor_id, passkey) for passkey in then.passkeys),
        recovery=now.recovery if now.recovery is not None and _are_same(then.recovery, now.recovery) else then.recovery,
        blocked=now.blocked,
        paused_at=now.paused_at,
    )


def _left_of(then: Factors, now: Factors) -> Factors:
    return replace(
        then,
        totp=then.totp if now.totp is not None and _is_same(then.totp, now.totp) else None,
        passkeys=tuple(passkey for passkey in then.passkeys if passkey.factor_id in factors.ids(now)),
        mailed=then.mailed and now.mailed,
        recovery=then.recovery if now.recovery is not None and _are_same(then.recovery, now.recovery) else None,
    )


def of_what_is_left(used: Sequence[FactorEvent], now: Factors, then: Factors) -> Sequence[FactorEvent]:
    """Give of what was used up the part that is still enrolled: nothing can happen to the rest any more."""
    return [event for event in used if _is_left(event, now, then)]


def _is_left(event: FactorEvent, now: Factors, then: Factors) -> bool:
    match event:
        case TotpUsed() | PasskeyUsed():
            return event.factor_id in factors.ids(now)
        case RecoveryCodeUsed():
            return now.recovery is not None and _are_same(then.recovery, now.recovery)
        case _:
            return False


def _is_same(one: Totp | None, other: Totp) -> bool:
    return one is not None and one.factor_id == other.factor_id


def _are_same(ones: RecoveryCodes | None, others: RecoveryCodes) -> bool:
    return ones is not None and ones.verifiers == others.verifiers
