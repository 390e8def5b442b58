"""An account is deleted: as good as not there at once, restorable for a while, then its names are free for others.

Nothing of it is destroyed here. Whoever is to be forgotten is erased, whatever stage their account is in.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import assert_never

from domain.errors import NoSuchUser, RestoreTooLate
from domain.user import Absent, Active, Deleted, Gone, Suspended, User, account_of, present
from domain.user_events import DeleteReason, NamesReleased, UserDeleted, UserEvent, UserRestored


def delete(state: User, *, reason: DeleteReason, restorable_s: int, at: datetime) -> Sequence[UserEvent]:
    """Every token given before dies; for `restorable_s` seconds it can be undone."""
    if isinstance(state, Deleted | Gone):
        return []
    account = present(state)
    return [
        UserDeleted(
            user_id=account.user_id,
            reason=reason,
            token_epoch=account.token_epoch + 1,
            restorable_until=at + timedelta(seconds=restorable_s),
            at=at,
        )
    ]


def restore(state: User, *, at: datetime) -> Sequence[UserEvent]:
    """Raises RestoreTooLate once its time is up, whether or not somebody has its names already."""
    match state:
        case Absent():
            raise NoSuchUser
        case Active() | Suspended():
            return []
        case Deleted():
            if at >= state.restorable_until:
                raise RestoreTooLate
            return [UserRestored(user_id=state.account.user_id, at=at)]
        case Gone():
            raise RestoreTooLate
        case _:
            assert_never(state)


def release_names(state: User, *, at: datetime) -> Sequence[UserEvent]:
    """Nothing happens to an account that is not deleted, or can still be restored."""
    if not isinstance(state, Deleted) or at < state.restorable_until:
        return []
    return [NamesReleased(user_id=state.account.user_id, at=at)]


def is_barred(state: User) -> bool:
    """Tell whether an account was suspended when its erasure began: its names stay nobody's, or it would be the way round a suspension."""
    return isinstance(state, Deleted) and state.reason is DeleteReason.ERASURE and isinstance(state.before, Suspended)


def lift_bar(state: User, *, at: datetime) -> Sequence[UserEvent]:
    """Free the names of such an account before their time. Raises NoSuchUser for any other."""
    if not is_barred(state):
        raise NoSuchUser
    return [NamesReleased(user_id=account_of(state).user_id, at=at)]
