"""Which events make somebody a letter: one table. Who adds an event worth telling adds a line here, and its wording."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from commands.ports.mail import Letter
from commands.verify_email import VERIFY_TTL
from domain.api_key import ApiKeyExpiresSoon, ApiKeyMade
from domain.codec import tag_of
from domain.erasure_events import ErasureAsked, ErasureBegun
from domain.event import Event, Recorded
from domain.factor_events import (
    FactorRemoved,
    GuessingPaused,
    MailedCodesEnabled,
    PasskeyRegistered,
    PasskeyRegressed,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    TotpConfirmed,
    WhyRemoved,
)
from domain.ids import EventId, UserId
from domain.invitation import InvitationMade, InvitationRenewed
from domain.session_events import SessionFlagged
from domain.user_events import (
    AskedBy,
    DeleteReason,
    EmailChanged,
    PasswordReason,
    PasswordSet,
    RegisteredBy,
    UserDeleted,
    UsernameChanged,
    UserRegistered,
    UserReinstated,
    UserRestored,
)

NOTICE_SECONDS = 3 * 86_400
"""A notice that could not be delivered for so long is no news any more."""


class Facts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a letter is about: ids and times, nothing that anybody chose or that says who a person is."""

    at: datetime
    subject_id: UUID | None = None


class Wanted(Struct, frozen=True, kw_only=True):
    """One letter that an event asks for. `keep_s`: seconds from the event on after which it is of no use."""

    letter: Letter
    user_id: UserId | None
    facts: Facts
    keep_s: int = NOTICE_SECONDS


def _password_set(recorded: Recorded[PasswordSet]) -> tuple[Wanted, ...]:
    event = recorded.event
    if event.reason not in {PasswordReason.CHANGED, PasswordReason.RESET}:
        return ()
    return (Wanted(letter=Letter.PASSWORD_CHANGED, user_id=event.user_id, facts=Facts(at=event.at)),)


def _registered(recorded: Recorded[UserRegistered]) -> tuple[Wanted, ...]:
    """Whom others gave an account asks for the link when they are there: no link that nobody asked for goes to an address
    that may be mistyped, and an import of thousands is no flood of mail."""
    event = recorded.event
    if event.registered_by is not RegisteredBy.SELF:
        return ()
    return (Wanted(letter=Letter.VERIFY_EMAIL, user_id=event.user_id, facts=Facts(at=event.at), keep_s=VERIFY_TTL),)


def _email_changed(recorded: Recorded[EmailChanged]) -> tuple[Wanted, ...]:
    event = recorded.event
    if event.undo_until is None:
        return ()
    keep_s = int((event.undo_until - event.at).total_seconds())
    return (Wanted(letter=Letter.EMAIL_CHANGED, user_id=event.user_id, facts=Facts(at=event.at), keep_s=keep_s),)


def _factors_changed(
    recorded: Recorded[TotpConfirmed] | Recorded[PasskeyRegistered] | Recorded[MailedCodesEnabled] | Recorded[FactorRemoved],
) -> tuple[Wanted, ...]:
    event = recorded.event
    if isinstance(event, FactorRemoved) and event.why is WhyRemoved.NEVER_PROVED:
        return ()  # whoever proved the address has just set everything anew
    return (Wanted(letter=Letter.FACTOR_CHANGED, user_id=event.user_id, facts=Facts(at=event.at)),)


def _notice_of(letter: Letter) -> Callable[[Recorded[Any]], tuple[Wanted, ...]]:
    """A notice to whoever it happened to, each time."""
    return lambda recorded: (Wanted(letter=letter, user_id=recorded.event.user_id, facts=Facts(at=recorded.event.at)),)


def _codes_made(recorded: Recorded[RecoveryCodesMade]) -> tuple[Wanted, ...]:
    """None were made where they are only to be worth nothing any more."""
    return _notice_of(Letter.RECOVERY_CODES_MADE)(recorded) if recorded.event.count else ()


def _key_made(recorded: Recorded[ApiKeyMade]) -> tuple[Wanted, ...]:
    event = recorded.event
    return () if event.user_id is None else (Wanted(letter=Letter.KEY_MADE, user_id=event.user_id, facts=Facts(at=event.at)),)


def _key_ends(recorded: Recorded[ApiKeyExpiresSoon]) -> tuple[Wanted, ...]:
    """Whoever runs a service hears of its keys from the log."""
    event = recorded.event
    if event.user_id is None:
        return ()
    keep_s = int((event.expires_at - event.at).total_seconds())
    return (Wanted(letter=Letter.KEY_ENDS, user_id=event.user_id, facts=Facts(at=event.at, subject_id=event.key_id), keep_s=keep_s),)


def _deleted(recorded: Recorded[UserDeleted]) -> tuple[Wanted, ...]:
    event = recorded.event
    if event.reason is DeleteReason.ERASURE:
        return ()  # the erasure itself is told
    return (Wanted(letter=Letter.ACCOUNT_DELETED, user_id=event.user_id, facts=Facts(at=event.at)),)


def _erasure_due(recorded: Recorded[ErasureAsked] | Recorded[UserReinstated] | Recorded[UserRestored]) -> tuple[Wanted, ...]:
    """Also to who can withdraw it again: by now it has another date, and they may have heard of none. What administrators ask for they
    cannot withdraw; that it has begun is told them."""
    event = recorded.event
    if isinstance(event, ErasureAsked) and event.asked_by is not AskedBy.OWN_REQUEST:
        return ()
    return (Wanted(letter=Letter.ERASURE_ASKED, user_id=event.user_id, facts=Facts(at=event.at)),)


def _erasure_begun(recorded: Recorded[ErasureBegun]) -> tuple[Wanted, ...]:
    """Nobody is written to who was erased before: there ought to be no address to write to."""
    event = recorded.event
    if event.again is not None:
        return ()
    return (Wanted(letter=Letter.ERASURE_BEGUN, user_id=event.user_id, facts=Facts(at=event.at)),)


def _invited(recorded: Recorded[InvitationMade] | Recorded[InvitationRenewed]) -> tuple[Wanted, ...]:
    event = recorded.event
    keep_s = int((event.expires_at - event.at).total_seconds())
    return (Wanted(letter=Letter.INVITATION, user_id=None, facts=Facts(at=event.at, subject_id=event.invitation_id), keep_s=keep_s),)


def _flagged(recorded: Recorded[SessionFlagged]) -> tuple[Wanted, ...]:
    event = recorded.event
    return (Wanted(letter=Letter.SUSPICIOUS_SIGN_IN, user_id=event.user_id, facts=Facts(at=event.at, subject_id=event.session_id)),)


REACTIONS: Mapping[type[Event], Callable[[Recorded[Any]], tuple[Wanted, ...]]] = {
    UserRegistered: _registered,
    PasswordSet: _password_set,
    EmailChanged: _email_changed,
    TotpConfirmed: _factors_changed,
    PasskeyRegistered: _factors_changed,
    MailedCodesEnabled: _factors_changed,
    FactorRemoved: _factors_changed,
    RecoveryCodesMade: _codes_made,
    RecoveryCodeUsed: _notice_of(Letter.RECOVERY_CODE_USED),
    PasskeyRegressed: _notice_of(Letter.PASSKEY_COPIED),
    GuessingPaused: _notice_of(Letter.CODES_GUESSED),
    ApiKeyMade: _key_made,
    ApiKeyExpiresSoon: _key_ends,
    SessionFlagged: _flagged,
    UserDeleted: _deleted,
    UsernameChanged: _notice_of(Letter.USERNAME_CHANGED),
    ErasureAsked: _erasure_due,
    UserReinstated: _erasure_due,
    UserRestored: _erasure_due,
    ErasureBegun: _erasure_begun,
    InvitationMade: _invited,
    InvitationRenewed: _invited,
}
TAGS = tuple(tag_of(kind) for kind in REACTIONS)


def wanted_by(recorded: Recorded[Any]) -> tuple[Wanted, ...]:
    return REACTIONS[type(recorded.event)](recorded)


def mail_id(event_id: EventId, letter: str) -> UUID:
    """Derive a letter's id (UUIDv8, RFC 9562 5.8): an event that is read twice asks for the same letter."""
    digest = bytearray(hashlib.sha256(b"minos mail v1\0" + event_id.bytes + letter.encode()).digest()[:16])
    digest[6] = (digest[6] & 0x0F) | 0x80
    digest[8] = (digest[8] & 0x3F) | 0x80
    return UUID(bytes=bytes(digest))
