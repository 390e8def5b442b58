"""The password of an account: chosen anew by its owner, or kept under a stronger hash."""

from collections.abc import Sequence
from datetime import datetime

from domain.account import Account
from domain.event import Sealed
from domain.user import User, present
from domain.user_events import PasswordReason, PasswordRehashed, PasswordSet, PasswordsForgotten, UserEvent


def change_password(state: User, *, password: Sealed, remembered: int, at: datetime) -> Sequence[UserEvent]:
    """Every token given before dies: the caller's own session has to be rebased in the same append.

    Of the passwords before this one, `remembered` stay; the keys of the others are to be destroyed once this is appended.
    """
    account = present(state)
    return password_set(account, password, PasswordReason.CHANGED, remembered, at)


def password_set(account: Account, password: Sealed, reason: PasswordReason, remembered: int, at: datetime) -> Sequence[UserEvent]:
    """What a new password of an account is, whoever chose it. Every token given before dies with the epoch."""
    changed = PasswordSet(
        user_id=account.user_id,
        password=password,
        password_version=account.password_version + 1,
        token_epoch=account.token_epoch + 1,
        reason=reason,
        at=at,
    )
    earlier = len(account.earlier_passwords) + (account.password is not None)
    if earlier <= remembered:
        return [changed]
    return [changed, PasswordsForgotten(user_id=account.user_id, remembered=remembered, at=at)]


def rehash_password(state: User, *, password: Sealed, verified: Sealed | None, at: datetime) -> Sequence[UserEvent]:
    """Keep the stronger hash only when the one that was `verified` is still the current one: of sign-ins at once one replaces it."""
    account = present(state)
    if account.password != verified:
        return []
    return [PasswordRehashed(user_id=account.user_id, password=password, password_version=account.password_version, at=at)]
