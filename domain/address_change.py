"""An account's address becomes another; whoever reads the earlier one can take that back for three days (threats.md 3).

One change at a time can be taken back: until the earlier address is free there is no other, so nobody moves it out of reach.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.account import Account, EarlierEmail
from domain.errors import EmailChangedLately, MailTokenInvalid
from domain.event import Sealed
from domain.ids import ClaimId
from domain.user import Active, Deleted, Suspended, User, present
from domain.user_events import EarlierEmailReleased, EmailChanged, EmailRestored, PasswordReason, UserEvent
from domain.user_password import password_set

UNDO_TTL = 72 * 3_600
"""Seconds."""


def require_changeable(account: Account) -> None:
    """Raise EmailChangedLately while the last change can be taken back, and until its earlier address was released."""
    if account.earlier is not None:
        raise EmailChangedLately


def change(state: User, *, email: Sealed, claim: ClaimId, at: datetime) -> Sequence[UserEvent]:
    """What was proved by its mailbox becomes the address. An earlier one that nobody ever proved takes nothing back: it may be
    another's."""
    account = present(state)
    if account.email_claim == claim:
        return []
    require_changeable(account)
    undo_until = at + timedelta(seconds=UNDO_TTL) if account.email_verified else None
    return [EmailChanged(user_id=account.user_id, email=email, email_claim=claim, undo_until=undo_until, at=at)]


def require_undoable(state: User, *, claim: ClaimId, at: datetime) -> tuple[Account, EarlierEmail]:
    """Give the account and its earlier address, which this claim is of. Raises MailTokenInvalid."""
    if not isinstance(state, Active | Suspended):
        raise MailTokenInvalid
    earlier = state.account.earlier
    if earlier is None or earlier.claim != claim or at >= earlier.undo_until:
        raise MailTokenInvalid
    return state.account, earlier


def undo(state: User, *, claim: ClaimId, password: Sealed, remembered: int, at: datetime) -> Sequence[UserEvent]:
    """Back to the earlier address, with a password that nobody else knows. Every token given before dies."""
    account, earlier = require_undoable(state, claim=claim, at=at)
    back = EmailRestored(user_id=account.user_id, email=earlier.email, email_claim=earlier.claim, at=at)
    return [back, *password_set(account, password, PasswordReason.RESET, remembered, at)]


def release(state: User, *, at: datetime) -> Sequence[UserEvent]:
    """Nothing happens to an account whose earlier address can still be taken back, or that has none."""
    if not isinstance(state, Active | Suspended | Deleted):
        return []
    earlier = state.account.earlier
    if earlier is None or at < earlier.undo_until:
        return []
    return [EarlierEmailReleased(user_id=state.account.user_id, at=at)]
