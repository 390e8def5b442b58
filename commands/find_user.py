"""Find an account by exactly what is known of it: its id, its address or its username, in any spelling.

Names are sealed: a look-up goes by their MAC in the claim index, and there is none by a part of a name.
"""

from uuid import UUID

from commands.login_names import normalise
from commands.ports import Ports
from domain.claim import ClaimKind
from domain.errors import InvalidEmail, InvalidUsername
from domain.ids import UserId


async def find_user(text: str, ports: Ports) -> UserId | None:
    """Give whom it leads to now. For an id that is the id itself, whether or not there is such an account."""
    try:
        return UserId(UUID(text))
    except ValueError:
        pass
    kind = ClaimKind.EMAIL if "@" in text else ClaimKind.USERNAME
    try:
        candidates = ports.macs.claim_candidates(kind, normalise(kind, text))
    except (InvalidEmail, InvalidUsername):
        return None
    holder = (await ports.store.find_holder(candidates)).holder
    return None if holder is None else UserId(holder)
