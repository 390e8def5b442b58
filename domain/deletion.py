"""An account is deleted: as good as not there at once, restorable for a while, then its names are free for others.

Nothing of it is destroyed by that. Whoever is to be forgotten is erased: after the deletion, and for good.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import assert_never

from domain.errors import NoSuchUser, RestoreTooLate
from domain.ids import ClaimId, InvitationId, SubjectKeyId
from domain.user import Absent, Active, Deleted, Erased, Gone, Suspended, User, present
from domain.user_events import AskedBy, DeleteReason, NamesFate, NamesReleased, UserDeleted, UserErased, UserEvent, UserRestored

MOST_KEYS_NAMED = 512
"""In a receipt: an event has 32 kB."""


def delete(state: User, *, reason: DeleteReason, restorable_s: int, at: datetime) -> Sequence[UserEvent]:
    """Every token given before dies; for `restorable_s` seconds it can be undone."""
    if isinstance(state, Deleted | Gone | Erased):
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
        case Gone() | Erased():
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
    if not isinstance(state, Deleted) or not is_barred(state):
        raise NoSuchUser
    return [NamesReleased(user_id=state.account.user_id, at=at)]


def erase(
    state: User,
    *,
    asked_by: AskedBy,
    keys: Sequence[SubjectKeyId],
    claims: Sequence[ClaimId],
    invitations: Sequence[InvitationId] = (),
    at: datetime,
) -> Sequence[UserEvent]:
    """Forget the person for good. `claims` are those of the names the account holds: they stay nobody's until its time to be restored, or
    that of a bar, is over. Nothing happens the second time. Raises NoSuchUser for an account that was not deleted first."""
    if isinstance(state, Erased):
        return []
    if not isinstance(state, Deleted | Gone):
        raise NoSuchUser
    is_kept = isinstance(state, Deleted) and at < state.restorable_until
    return [
        UserErased(
            user_id=state.account.user_id,
            asked_by=asked_by,
            keys=tuple(keys[:MOST_KEYS_NAMED]),
            key_count=len(keys),
            invitations=tuple(invitations),
            names=NamesFate.BARRED if is_kept else NamesFate.RELEASED,
            barred=tuple(claims) if is_kept else (),
            names_until=state.restorable_until if isinstance(state, Deleted) and is_kept else None,
            token_epoch=state.account.token_epoch + 1,
            # Who remembers the roles of an earlier version hears that there are none.
            roles_version=state.account.roles_version + 1,
            at=at,
        )
    ]
