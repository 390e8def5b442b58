"""Who may act on whom, and hand out what: never beyond what the caller may do themselves (threats.md 6)."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from commands.context import Context
from commands.identify import rights_of
from commands.ports import Ports
from commands.transact import Read, Transaction, read_states
from domain import user
from domain.errors import Contended, InvalidToken, RightsExceeded
from domain.ids import RoleName, UserId
from domain.permission import Permission, within
from domain.user import account_of

R = TypeVar("R")
ATTEMPTS = 16


class RolesMoved(Exception):
    """The roles the authority was computed from are not the ones the decision found."""


def require_within(wanted: tuple[Permission, ...], ctx: Context) -> None:
    """Raise RightsExceeded when the caller lacks any of it. Minos itself and the CLI are not bounded."""
    if ctx.principal is None:
        if ctx.system is None:
            raise InvalidToken
        return
    if not within(wanted, ctx.principal.permissions):
        raise RightsExceeded


async def acting_on(user_id: UserId, ctx: Context, ports: Ports, act: Callable[[tuple[RoleName, ...]], Awaitable[R]]) -> R:
    """Run `act` once the caller is known to hold all that the user on the other end holds.

    `act` gets the roles that was computed from and must raise RolesMoved when its decision finds others
    (`require_same_roles`); then all of it is done again. Raises NoSuchUser, RightsExceeded, Contended.
    """
    of_user: Read = (user.decider, user.stream(user_id))
    for _ in range(ATTEMPTS):
        roles = account_of((await read_states(ports, [of_user])).state(user.decider, of_user[1])).roles
        given = await rights_of(roles, ports)
        require_within(tuple(p for permissions in given.values() for p in permissions), ctx)
        try:
            return await act(roles)
        except RolesMoved:
            continue
    raise Contended


def require_same_roles(tx: Transaction, user_id: UserId, roles: tuple[RoleName, ...]) -> None:
    if account_of(tx.state(user.decider, user.stream(user_id))).roles != roles:
        raise RolesMoved
