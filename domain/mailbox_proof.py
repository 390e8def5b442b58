"""Somebody has shown that they read the mailbox of an account's address: what may follow from it."""

from collections.abc import Sequence
from datetime import datetime

from domain.account import Account
from domain.errors import EmailAlreadyVerified, MailTokenInvalid
from domain.event import Sealed
from domain.ids import ClaimId
from domain.user import Active, Suspended, User, account_of, present
from domain.user_events import EmailVerified, PasswordReason, UserEvent
from domain.user_password import password_set


def prove_email(state: User, *, claim: ClaimId, password: Sealed, remembered: int, at: datetime) -> Sequence[UserEvent]:
    """The first proof of a mailbox: whoever opened the account may have been another, so nothing from before counts any more.

    Raises MailTokenInvalid for a claim the account does not hold any more, EmailAlreadyVerified.
    """
    account = require_unproved(state, claim=claim)
    return [_verified(account, at), *password_set(account, password, PasswordReason.PROVED, remembered, at)]


def prove_held(state: User, *, claim: ClaimId, at: datetime) -> Sequence[UserEvent]:
    """The first proof for an account whose holder is known: nothing else changes. Raises MailTokenInvalid, EmailAlreadyVerified."""
    return [_verified(require_unproved(state, claim=claim), at)]


def prove_new(state: User, *, at: datetime) -> Sequence[UserEvent]:
    """Of an account that is opened by the proof itself."""
    return [_verified(account_of(state), at)]


def require_unproved(state: User, *, claim: ClaimId) -> Account:
    if not isinstance(state, Active | Suspended) or state.account.email_claim != claim:
        raise MailTokenInvalid
    account = state.account
    if account.email_verified:
        raise EmailAlreadyVerified
    return account


def reset_password(state: User, *, password: Sealed, remembered: int, at: datetime) -> Sequence[UserEvent]:
    """Whoever resets has read the mailbox: that proves it, too. Every token given before dies."""
    account = present(state)
    proved = [] if account.email_verified else [_verified(account, at)]
    return [*proved, *password_set(account, password, PasswordReason.RESET, remembered, at)]


def _verified(account: Account, at: datetime) -> EmailVerified:
    return EmailVerified(user_id=account.user_id, email_claim=account.email_claim, at=at)
