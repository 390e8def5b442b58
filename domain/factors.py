"""A person's second factors: codes by time, passkeys, and recovery codes for the day the others are lost.

One aggregate for a person, so that a code or a key is used up in the same append as what it was shown for.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from domain.decider import Decider
from domain.errors import FactorNotEnrolled, InvalidChallenge, InvalidFactor, NoSuchFactor, TooManyFactors
from domain.event import Sealed
from domain.factor_events import (
    FactorEvent,
    FactorKind,
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
    WhyRemoved,
)
from domain.factor_state import Factors, evolve
from domain.ids import FactorId, StreamName, UserId
from domain.session_events import AuthMethod

MOST_PASSKEYS = 20


decider: Decider[Factors, FactorEvent] = Decider("factors", Factors, 3, Factors(), evolve)


def stream(user_id: UserId) -> StreamName:
    return StreamName(f"factors-{user_id}")


def ids(state: Factors) -> tuple[FactorId, ...]:
    return tuple(each.factor_id for each in (state.totp, state.mailed, *state.passkeys) if each is not None)


def erase(state: Factors, *, user_id: UserId, at: datetime) -> Sequence[FactorEvent]:
    return [] if state == Factors() else [FactorsErased(user_id=user_id, at=at)]


def enrolled_before(state: Factors, at: datetime) -> Factors:
    """What is left of it without everything that came since then."""
    return replace(
        state,
        totp=state.totp if state.totp is not None and state.totp.enrolled_at < at else None,
        passkeys=tuple(passkey for passkey in state.passkeys if passkey.enrolled_at < at),
        mailed=state.mailed if state.mailed is not None and state.mailed.enrolled_at < at else None,
        recovery=state.recovery if state.recovery is not None and state.recovery.made_at < at else None,
    )


def strongest(state: Factors) -> AuthMethod:
    """What a change of factors has to be proved with (threats.md 5)."""
    if state.passkeys:
        return AuthMethod.PASSKEY
    if state.totp is not None:
        return AuthMethod.OTP
    return AuthMethod.PASSWORD if state.mailed is None else AuthMethod.EMAIL


def offer_totp(state: Factors, *, user_id: UserId, factor_id: FactorId, seed: Sealed, at: datetime) -> Sequence[FactorEvent]:
    """Show a seed; one that was shown before is forgotten. A confirmed factor stays until its successor is confirmed."""
    return [TotpOffered(user_id=user_id, factor_id=factor_id, seed=seed, at=at)]


def confirm_totp(state: Factors, *, user_id: UserId, factor_id: FactorId, step: int, at: datetime) -> Sequence[FactorEvent]:
    """Raises InvalidFactor where another seed was shown since the code was looked at.

    The successor comes before the old one goes: there is no moment without a factor, and recovery codes stay.
    """
    if state.offer is None or state.offer.factor_id != factor_id:
        raise InvalidFactor
    old: Sequence[FactorEvent] = ()
    if state.totp is not None:
        old = remove(state, user_id=user_id, factor_id=state.totp.factor_id, why=WhyRemoved.REPLACED, at=at)
    return [TotpConfirmed(user_id=user_id, factor_id=factor_id, step=step, at=at), *old]


def use_totp(state: Factors, *, user_id: UserId, factor_id: FactorId, step: int, at: datetime) -> Sequence[FactorEvent]:
    """Let one code count. Raises InvalidFactor for a step that did already, and for a factor that is gone (RFC 6238 5.2)."""
    if state.totp is None or state.totp.factor_id != factor_id or step <= state.totp.step:
        raise InvalidFactor
    return [TotpUsed(user_id=user_id, factor_id=factor_id, step=step, at=at)]


def register_passkey(
    state: Factors, *, user_id: UserId, factor_id: FactorId, credential: Sealed, sign_count: int, name: Sealed | None, at: datetime
) -> Sequence[FactorEvent]:
    """Raises TooManyFactors, and InvalidChallenge where this one was registered already."""
    if any(p.factor_id == factor_id for p in state.passkeys):
        raise InvalidChallenge
    if len(state.passkeys) >= MOST_PASSKEYS:
        raise TooManyFactors
    registered = PasskeyRegistered(user_id=user_id, factor_id=factor_id, credential=credential, sign_count=sign_count, at=at)
    named = [] if name is None else [FactorNamed(user_id=user_id, factor_id=factor_id, name=name, at=at)]
    return [registered, *named]


def use_passkey(
    state: Factors, *, user_id: UserId, factor_id: FactorId, sign_count: int, asked_at: datetime, at: datetime
) -> Sequence[FactorEvent]:
    """Let a signature count; one whose counter does not rise is noted, and counts for nothing (WebAuthn 7.2, step 22).

    An authenticator without a counter says 0 each time. So that one signature counts once all the same, it has to be asked for after
    the one before was shown. Raises InvalidFactor for one that was not, and for a passkey that is gone.
    """
    passkey = next((p for p in state.passkeys if p.factor_id == factor_id), None)
    if passkey is None or asked_at <= passkey.used_at:
        raise InvalidFactor
    if (sign_count or passkey.sign_count) and sign_count <= passkey.sign_count:
        return [PasskeyRegressed(user_id=user_id, factor_id=factor_id, sign_count=sign_count, known_count=passkey.sign_count, at=at)]
    return [PasskeyUsed(user_id=user_id, factor_id=factor_id, sign_count=sign_count, at=at)]


def enable_mailed_codes(state: Factors, *, user_id: UserId, factor_id: FactorId, at: datetime) -> Sequence[FactorEvent]:
    """Raises InvalidChallenge where they are enabled already."""
    if state.mailed is not None:
        raise InvalidChallenge
    return [MailedCodesEnabled(user_id=user_id, factor_id=factor_id, at=at)]


def use_mailed_code(state: Factors, *, user_id: UserId, factor_id: FactorId | None, code_id: UUID, at: datetime) -> Sequence[FactorEvent]:
    """Let one code count. Raises InvalidFactor for one that did already, and where they were turned on or off since it was looked at."""
    enrolled = None if state.mailed is None else state.mailed.factor_id
    if enrolled != factor_id or any(code_id == used for used, _ in state.codes_used):
        raise InvalidFactor
    return [MailedCodeUsed(user_id=user_id, factor_id=factor_id, code_id=code_id, at=at)]


def rename(state: Factors, *, user_id: UserId, factor_id: FactorId, name: Sealed, at: datetime) -> Sequence[FactorEvent]:
    """Only passkeys have names: there can be several. Raises NoSuchFactor."""
    if all(p.factor_id != factor_id for p in state.passkeys):
        raise NoSuchFactor
    return [FactorNamed(user_id=user_id, factor_id=factor_id, name=name, at=at)]


def remove(state: Factors, *, user_id: UserId, factor_id: FactorId, why: WhyRemoved, at: datetime) -> Sequence[FactorEvent]:
    """Raises NoSuchFactor."""
    if state.totp is not None and state.totp.factor_id == factor_id:
        kind = FactorKind.TOTP
    elif any(p.factor_id == factor_id for p in state.passkeys):
        kind = FactorKind.PASSKEY
    elif state.mailed is not None and state.mailed.factor_id == factor_id:
        kind = FactorKind.EMAIL
    else:
        raise NoSuchFactor
    return [FactorRemoved(user_id=user_id, factor_id=factor_id, kind=kind, why=why, at=at)]


def make_recovery_codes(state: Factors, *, user_id: UserId, verifiers: Sealed, count: int, at: datetime) -> Sequence[FactorEvent]:
    """Replace all there are. Raises FactorNotEnrolled where there is nothing to recover from."""
    if not state.enrolled:
        raise FactorNotEnrolled
    return [RecoveryCodesMade(user_id=user_id, verifiers=verifiers, count=count, at=at)]


def use_recovery_code(state: Factors, *, user_id: UserId, verifiers: Sealed, number: int, at: datetime) -> Sequence[FactorEvent]:
    """Raises InvalidFactor for one that was used, and where others were made since it was looked at."""
    if state.recovery is None or state.recovery.verifiers != verifiers or number in state.recovery.used:
        raise InvalidFactor
    return [RecoveryCodeUsed(user_id=user_id, number=number, at=at)]


def pause_guessing(state: Factors, *, user_id: UserId, failures: int, until: datetime | None, at: datetime) -> Sequence[FactorEvent]:
    if state.blocked:
        return []
    return [GuessingPaused(user_id=user_id, failures=failures, until=until, at=at)]
