"""An account is deleted: as good as not there at once, restorable for a while, then its names are free for others.

Nothing of it is destroyed here. Whoever is to be forgotten is erased, whatever stage their account is in.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import assert_never

from domain.errors import NoSuchUser, RestoreTooLate
from domain.user import Absent, Active, Deleted, Gone, Suspended, User, present
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
