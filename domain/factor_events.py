"""What can happen to a person's second factors. `domain/factors.py` says what it means and when it may."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.event import Event, Sealed
from domain.ids import FactorId, UserId


class FactorKind(StrEnum):
    TOTP = "totp"
    PASSKEY = "passkey"
    EMAIL = "email"


class WhyRemoved(StrEnum):
    SELF = "self"
    REPLACED = "replaced"
    ADMINISTRATOR = "administrator"
    NEVER_PROVED = "never_proved"
    """It was enrolled before anybody had shown that they read the account's mailbox; now somebody has."""
    UNDONE = "undone"
    """It was enrolled while the account had another address, and that change was taken back."""


class TotpOffered(Event, frozen=True, kw_only=True, tag="factors.totp_offered.v1"):
    """A seed was shown. It counts for nothing until a code of it comes back."""

    user_id: UserId
    factor_id: FactorId
    seed: Sealed


class TotpConfirmed(Event, frozen=True, kw_only=True, tag="factors.totp_confirmed.v1"):
    """`step` is the time step (RFC 6238) of the code that proved it; no code of it or an earlier one counts again."""

    user_id: UserId
    factor_id: FactorId
    step: int


class TotpUsed(Event, frozen=True, kw_only=True, tag="factors.totp_used.v1"):
    user_id: UserId
    factor_id: FactorId
    step: int


class PasskeyRegistered(Event, frozen=True, kw_only=True, tag="factors.passkey_registered.v1"):
    """`credential` holds the key's id and its public half, which no permission opens (threats.md 12)."""

    user_id: UserId
    factor_id: FactorId
    credential: Sealed
    sign_count: int


class PasskeyUsed(Event, frozen=True, kw_only=True, tag="factors.passkey_used.v1"):
    user_id: UserId
    factor_id: FactorId
    sign_count: int


class PasskeyRegressed(Event, frozen=True, kw_only=True, tag="factors.passkey_regressed.v1"):
    """A genuine signature with a counter that had been passed: somebody has a copy of the key. It counted for nothing."""

    user_id: UserId
    factor_id: FactorId
    sign_count: int
    known_count: int


class FactorNamed(Event, frozen=True, kw_only=True, tag="factors.named.v1"):
    user_id: UserId
    factor_id: FactorId
    name: Sealed


class FactorRemoved(Event, frozen=True, kw_only=True, tag="factors.removed.v1"):
    user_id: UserId
    factor_id: FactorId
    kind: FactorKind
    why: WhyRemoved


class MailedCodesEnabled(Event, frozen=True, kw_only=True, tag="factors.mailed_codes_enabled.v1"):
    """Codes go to the account's address of the moment, which has been proved."""

    user_id: UserId
    factor_id: FactorId


class MailedCodeUsed(Event, frozen=True, kw_only=True, tag="factors.mailed_code_used.v1"):
    """`code_id` is what the code was derived from: it counts once. Without `factor_id` mailed codes are no factor of the account, and one
    was asked for because a sign-in was strange."""

    user_id: UserId
    factor_id: FactorId | None
    code_id: UUID


class RecoveryCodesMade(Event, frozen=True, kw_only=True, tag="factors.recovery_codes_made.v1"):
    """`verifiers` are keyed MACs, one for each code in order. Codes from before are worth nothing."""

    user_id: UserId
    verifiers: Sealed
    count: int


class RecoveryCodeUsed(Event, frozen=True, kw_only=True, tag="factors.recovery_code_used.v1"):
    user_id: UserId
    number: int
    """Which one, from 0 in the order they were made."""


class GuessingPaused(Event, frozen=True, kw_only=True, tag="factors.guessing_paused.v1"):
    """Too many wrong codes after right passwords. `until` is None where only a recovery code or a passkey helps now."""

    user_id: UserId
    failures: int
    until: datetime | None


class FactorsErased(Event, frozen=True, kw_only=True, tag="factors.erased.v1"):
    """Whose they were was erased: the last event of the stream."""

    user_id: UserId


FactorChange = (
    TotpOffered | TotpConfirmed | TotpUsed | PasskeyRegistered | PasskeyUsed | PasskeyRegressed | FactorNamed | FactorRemoved
    | MailedCodesEnabled | MailedCodeUsed | RecoveryCodesMade | RecoveryCodeUsed | GuessingPaused
)  # fmt: skip
FactorEvent = FactorChange | FactorsErased
