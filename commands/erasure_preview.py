"""What an erasure would take of an account, by its heads; nothing is changed by looking."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from commands.ports import Ports
from commands.put_off_erasure import erasure_of
from commands.transact import Read, read_states
from domain import administrators, attributes, erasure, factors, invitation, user
from domain.ids import InvitationId, UserId
from domain.user import Suspended, User, account_of


class Holdings(Struct, frozen=True, kw_only=True):
    user_id: UserId
    keys: int
    """That would be destroyed."""
    names: int
    """Addresses and usernames held, an earlier address too."""
    names_barred: bool
    """Whether they would be nobody's for a while, since the account is suspended."""
    factors: int
    has_attributes: bool
    due_at: datetime | None
    """When it is due already, as somebody asked."""


async def holdings(user_id: UserId, accepted: Sequence[InvitationId], ports: Ports) -> Holdings:
    """Raises NoSuchUser, also for one that was erased; LastAdminProtected, as the erasure would; StoreUnavailable."""
    of_user: Read = (user.decider, user.stream(user_id))
    of_factors: Read = (factors.decider, factors.stream(user_id))
    of_attributes: Read = (attributes.decider, attributes.stream(user_id))
    of_admins: Read = (administrators.decider, administrators.STREAM)
    tx = await read_states(ports, [of_user, of_factors, of_attributes, of_admins, erasure_of(user_id)])
    administrators.stays_without(tx.state(*of_admins), user_id)
    state: User = tx.state(*of_user)
    account = account_of(state)
    waiting = tx.state(*erasure_of(user_id))
    subjects = [user.stream(user_id), *(invitation.stream(each) for each in accepted)]
    return Holdings(
        user_id=user_id,
        keys=len(await ports.vault.keys_of(subjects)),
        names=1 + (account.username is not None) + (account.earlier is not None),
        names_barred=isinstance(state, Suspended),
        factors=len(factors.ids(tx.state(*of_factors))),
        has_attributes=tx.state(*of_attributes).sealed is not None,
        due_at=waiting.due_at if isinstance(waiting, erasure.Asked) else None,
    )
