"""What `minos users` reads: accounts by id or address, opened for whoever holds the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from cli.authority import Authority
from cli.command import NotAccepted
from cli.wishes import wish
from commands.change_attributes import ChangeAttributes, change_attributes
from commands.find_user import find_user
from commands.read_profile import Profile, read_profile
from commands.transact import read_states
from domain import user
from domain.errors import NoSuchUser
from domain.ids import RoleName, UserId
from projections import user_history, users
from workers.leftovers import Leftovers, leftovers


class Happening(Struct, frozen=True, kw_only=True):
    at: datetime
    what: str
    by: str
    position: int


async def found(authority: Authority, who: str) -> UserId:
    """Give the account of an id, an address or a username. Raises NoSuchUser."""
    user_id = await find_user(who, authority.ports)
    if user_id is None:
        raise NoSuchUser
    return user_id


async def listed(authority: Authority, *, role: str | None, status: str | None, limit: int) -> Sequence[Profile]:
    page = await users.page(
        authority.models,
        role=None if role is None else RoleName(role),
        status=None if status is None else users.UserStatus(status),
        limit=limit,
    )
    return [await read_profile(row.user_id, authority.ports) for row in page.rows]


async def shown(authority: Authority, user_id: UserId) -> Profile:
    return await read_profile(user_id, authority.ports)


async def history(authority: Authority, user_id: UserId) -> Sequence[Happening]:
    page = await user_history.of_user(authority.models, user_id, limit=200)
    return [Happening(at=row.at, what=row.type, by=row.actor, position=row.position) for row in page.rows]


async def left_of(authority: Authority, who: str) -> Leftovers:
    """Raises NotAccepted for what is no id."""
    try:
        user_id = UserId(UUID(who))
    except ValueError:
        raise NotAccepted(f"not accepted: {who!r}; an id is what leads to one who is erased") from None
    return await leftovers(user_id, authority.models, authority.pool, authority.ports)


async def is_known(authority: Authority, user_id: UserId) -> bool:
    """Whether there ever was an account of this id, also one that is erased."""
    tx = await read_states(authority.ports, [(user.decider, user.stream(user_id))])
    return not isinstance(tx.state(user.decider, user.stream(user_id)), user.Absent)


async def set_attributes(authority: Authority, user_id: UserId, given: Sequence[str]) -> None:
    """Raises NotAccepted, NoSuchUser, NoSuchAttribute, AttributeInvalid."""
    changes: dict[str, Any] = {}
    for text in given:
        name, is_one, value = text.partition("=")
        if not is_one:
            raise NotAccepted(f"not accepted: {text!r}; expected NAME=VALUE")
        changes[name] = _value(value)
    command = wish(ChangeAttributes, attributes=changes)
    if not authority.ports.policy.attributes:
        raise NotAccepted("no attributes are registered: give this command the MINOS_ATTRIBUTES_FILE that the API has")
    await change_attributes(user_id, command, authority.context(), authority.ports)


def _value(text: str) -> Any:
    """What is JSON is that, anything else a text; nothing at all takes it away."""
    if not text:
        return None
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
