"""What a person's second factors are, and what each event makes of them. What is decided on it is in domain/factors.py."""

from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.event import Sealed
from domain.factor_events import (
    FactorChange,
    FactorEvent,
    FactorNamed,
    FactorRemoved,
    FactorsErased,
    GuessingPaused,
    MailedCodesEnabled,
    MailedCodeUsed,
    PasskeyRegistered,
    PasskeyRegressed,
    PasskeyUsed,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    TotpConfirmed,
    TotpOffered,
    TotpUsed,
)
from domain.ids import FactorId

REMEMBERED = timedelta(hours=1)
"""Longer than any mailed code is good for."""


class Offer(Struct, frozen=True, kw_only=True):
    factor_id: FactorId
    seed: Sealed
    offered_at: datetime


class Totp(Struct, frozen=True, kw_only=True):
    factor_id: FactorId
    seed: Sealed
    step: int
    """The last step that counted."""
    enrolled_at: datetime
    used_at: datetime


class Passkey(Struct, frozen=True, kw_only=True):
    factor_id: FactorId
    credential: Sealed
    name: Sealed | None
    sign_count: int
    enrolled_at: datetime
    used_at: datetime
    regressed_at: datetime | None
    """When a copy of it was last noticed."""


class MailedCodes(Struct, frozen=True, kw_only=True):
    factor_id: FactorId
    enrolled_at: datetime
    used_at: datetime


class RecoveryCodes(Struct, frozen=True, kw_only=True):
    verifiers: Sealed
    count: int
    used: tuple[int, ...]
    made_at: datetime

    @property
    def remaining(self) -> int:
        return self.count - len(self.used)


class Factors(Struct, frozen=True, kw_only=True):
    offer: Offer | None = None
    totp: Totp | None = None
    passkeys: tuple[Passkey, ...] = ()
    mailed: MailedCodes | None = None
    codes_used: tuple[tuple[UUID, datetime], ...] = ()
    """What the mailed codes that counted lately were derived from, and when they did."""
    recovery: RecoveryCodes | None = None
    blocked: bool = False
    """After a hundred wrong codes none is looked at, until a recovery code or a passkey was shown (threats.md 3)."""
    paused_at: datetime | None = None
    """When wrong codes last began a pause."""

    @property
    def enrolled(self) -> bool:
        """Whether a password alone is not enough. Recovery codes are no factor by themselves."""
        return self.totp is not None or bool(self.passkeys) or self.mailed is not None


def evolve(state: Factors, event: FactorEvent) -> Factors:
    return Factors() if isinstance(event, FactorsErased) else _changed(state, event)


def _changed(state: Factors, event: FactorChange) -> Factors:
    match event:
        case TotpOffered():
            return replace(state, offer=Offer(factor_id=event.factor_id, seed=event.seed, offered_at=event.at))
        case TotpConfirmed() | TotpUsed():
            return _with_totp(state, event)
        case PasskeyRegistered() | PasskeyUsed() | PasskeyRegressed() | FactorNamed():
            return _with_passkey(state, event)
        case MailedCodesEnabled() | MailedCodeUsed():
            return _with_mailed(state, event)
        case FactorRemoved():
            return _without(state, event.factor_id)
        case RecoveryCodesMade():
            return replace(state, recovery=RecoveryCodes(verifiers=event.verifiers, count=event.count, used=(), made_at=event.at))
        case RecoveryCodeUsed():
            recovery = state.recovery and replace(state.recovery, used=(*state.recovery.used, event.number))
            return replace(state, recovery=recovery, blocked=False)
        case GuessingPaused():
            return replace(state, paused_at=event.at, blocked=state.blocked or event.until is None)
        case _:
            assert_never(event)


def _with_totp(state: Factors, event: TotpConfirmed | TotpUsed) -> Factors:
    match event:
        case TotpConfirmed():
            if state.offer is None or state.offer.factor_id != event.factor_id:
                return state
            totp = Totp(factor_id=event.factor_id, seed=state.offer.seed, step=event.step, enrolled_at=event.at, used_at=event.at)
            return replace(state, offer=None, totp=totp)
        case TotpUsed():
            return replace(state, totp=state.totp and replace(state.totp, step=event.step, used_at=event.at))
        case _:
            assert_never(event)


def _with_passkey(state: Factors, event: PasskeyRegistered | PasskeyUsed | PasskeyRegressed | FactorNamed) -> Factors:
    match event:
        case PasskeyRegistered():
            passkey = Passkey(
                factor_id=event.factor_id,
                credential=event.credential,
                name=None,
                sign_count=event.sign_count,
                enrolled_at=event.at,
                used_at=event.at,
                regressed_at=None,
            )
            return replace(state, passkeys=(*state.passkeys, passkey))
        case PasskeyUsed():
            used = _each(state, event.factor_id, sign_count=event.sign_count, used_at=event.at)
            return replace(used, blocked=False)
        case PasskeyRegressed():
            return _each(state, event.factor_id, regressed_at=event.at)
        case FactorNamed():
            return _each(state, event.factor_id, name=event.name)
        case _:
            assert_never(event)


def _with_mailed(state: Factors, event: MailedCodesEnabled | MailedCodeUsed) -> Factors:
    """A code is remembered for longer than it could come back."""
    match event:
        case MailedCodesEnabled():
            return replace(state, mailed=MailedCodes(factor_id=event.factor_id, enrolled_at=event.at, used_at=event.at))
        case MailedCodeUsed():
            lately = [one for one in state.codes_used if event.at - one[1] < REMEMBERED]
            mailed = state.mailed and replace(state.mailed, used_at=event.at)
            return replace(state, mailed=mailed, codes_used=(*lately, (event.code_id, event.at)))
        case _:
            assert_never(event)


def _each(state: Factors, factor_id: FactorId, **changes: object) -> Factors:
    passkeys = tuple(replace(p, **changes) if p.factor_id == factor_id else p for p in state.passkeys)
    return replace(state, passkeys=passkeys)


def _without(state: Factors, factor_id: FactorId) -> Factors:
    """With the last factor its recovery codes go, and so does what was held against guessing it."""
    totp = None if state.totp is not None and state.totp.factor_id == factor_id else state.totp
    mailed = None if state.mailed is not None and state.mailed.factor_id == factor_id else state.mailed
    left = replace(state, totp=totp, mailed=mailed, passkeys=tuple(p for p in state.passkeys if p.factor_id != factor_id))
    return left if left.enrolled else replace(left, recovery=None, blocked=False)
