"""Who may act on whom, and hand out what: never beyond what the caller may do themselves (threats.md 6).

All of it is decided on streams that are conditions of the append: rights lost while a request was under way do not
count for it any more.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from commands.context import Context, Machine, Principal
from commands.machines import machine_reads, machine_rights
from commands.ports import Ports
from commands.standing import require_standing, standing_reads
from commands.transact import Read, Transaction, read_states
from domain import role, user
from domain.errors import Contended, InvalidToken, PermissionDenied, RightsExceeded
from domain.ids import RoleName, UserId
from domain.permission import Permission, within
from domain.user import roles_of

R = TypeVar("R")
ATTEMPTS = 16


class RolesMoved(Exception):
    """The user on the other end holds other roles than those that were read."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A caller, and the user they act on. Read `reads` in the decision, and `require` before anything is decided."""

    ctx: Context
    user_id: UserId
    roles: tuple[RoleName, ...]

    @property
    def reads(self) -> list[Read]:
        return [(user.decider, user.stream(self.user_id)), *_role_reads(self.roles), *caller_reads(self.ctx)]

    def require(self, tx: Transaction) -> None:
        """Raise RightsExceeded unless the caller holds all that the user on the other end holds; NoSuchUser."""
        if roles_of(tx.state(user.decider, user.stream(self.user_id))) != self.roles:
            raise RolesMoved
        require_within(_given(tx, self.roles), self.ctx, tx)


def caller_reads(ctx: Context) -> list[Read]:
    """What `require_within` needs to be read: the caller's account, session and roles, or a machine's credential."""
    if ctx.machine is not None:
        return machine_reads(ctx.machine)
    principal = ctx.principal
    return [] if principal is None else [*standing_reads(principal), *_role_reads(principal.roles)]


def require_within(wanted: Iterable[Permission], ctx: Context, tx: Transaction) -> None:
    """Raise RightsExceeded when the caller lacks any of it. Minos itself and the CLI are not bounded.

    Raises PermissionDenied when the caller lost any right since the request came in, InvalidToken, SessionEnded.
    """
    caller = ctx.principal or ctx.machine
    if caller is None:
        if ctx.system is None:
            raise InvalidToken
        return
    if not within(caller.permissions, _held(caller, tx)):
        raise PermissionDenied
    if not within(wanted, caller.permissions):
        raise RightsExceeded


def _held(caller: Principal | Machine, tx: Transaction) -> Sequence[Permission]:
    """What the caller may do at this moment."""
    if isinstance(caller, Machine):
        return machine_rights(caller, tx)
    _, account = require_standing(tx, caller)
    return _given(tx, [name for name in account.roles if name in caller.roles])


async def acting_on(user_id: UserId, ctx: Context, ports: Ports, act: Callable[[Authority], Awaitable[R]]) -> R:
    """Run `act`, which has to hold its Authority against what its decision reads; again when the other's roles moved.

    Raises NoSuchUser, RightsExceeded, PermissionDenied, Contended.
    """
    of_user: Read = (user.decider, user.stream(user_id))
    for _ in range(ATTEMPTS):
        roles = roles_of((await read_states(ports, [of_user])).state(user.decider, of_user[1]))
        try:
            return await act(Authority(ctx, user_id, roles))
        except RolesMoved:
            continue
    raise Contended


def _role_reads(roles: Iterable[RoleName]) -> list[Read]:
    return [(role.decider, role.stream(name)) for name in roles]


def _given(tx: Transaction, roles: Iterable[RoleName]) -> list[Permission]:
    return [p for name in roles for p in role.gives(tx.state(role.decider, role.stream(name)))]
