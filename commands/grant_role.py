"""Give a user a role, or take one away. The administrators' stream moves in the same append where it must (threats.md 18)."""

from msgspec import Struct

from commands.authority import Authority, acting_on, require_within
from commands.context import Context
from commands.ports import Ports
from commands.transact import Done, Read, Transaction, transact
from domain import administrators, role, user
from domain.errors import NoSuchRole
from domain.ids import RoleName, RoleSlug, UserId
from domain.role import ADMIN, Defined
from domain.user import Active


class GrantRole(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    user_id: UserId
    role: RoleSlug


class RevokeRole(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    user_id: UserId
    role: RoleSlug


async def grant_role(command: GrantRole, ctx: Context, ports: Ports) -> Done[None]:
    """Raises NoSuchUser, NoSuchRole, RightsExceeded, TooManyRoles. Granting what is held changes nothing."""

    async def act(authority: Authority) -> Done[None]:
        return await transact(ports, ctx, _reads(authority, command.role), lambda tx: decide(tx, authority))

    def decide(tx: Transaction, authority: Authority) -> None:
        authority.require(tx)
        definition = tx.state(role.decider, role.stream(command.role))
        if not isinstance(definition, Defined):
            raise NoSuchRole
        require_within(definition.permissions, ctx, tx)
        of_user = user.stream(command.user_id)
        state = tx.state(user.decider, of_user)
        tx.record(user.decider, of_user, user.grant_role(state, command.role, at=tx.at))
        if command.role == ADMIN and isinstance(state, Active):
            admins = tx.state(administrators.decider, administrators.STREAM)
            events = administrators.add(admins, command.user_id, at=tx.at)
            tx.record(administrators.decider, administrators.STREAM, events)

    return await acting_on(command.user_id, ctx, ports, act)


async def revoke_role(command: RevokeRole, ctx: Context, ports: Ports) -> Done[None]:
    """Raises NoSuchUser, RightsExceeded, LastAdminProtected. Taking what is not held changes nothing."""

    async def act(authority: Authority) -> Done[None]:
        return await transact(ports, ctx, _reads(authority, command.role), lambda tx: decide(tx, authority))

    def decide(tx: Transaction, authority: Authority) -> None:
        authority.require(tx)
        of_user = user.stream(command.user_id)
        state = tx.state(user.decider, of_user)
        tx.record(user.decider, of_user, user.revoke_role(state, command.role, at=tx.at))
        if command.role == ADMIN:
            admins = tx.state(administrators.decider, administrators.STREAM)
            events = administrators.remove(admins, command.user_id, at=tx.at)
            tx.record(administrators.decider, administrators.STREAM, events)

    return await acting_on(command.user_id, ctx, ports, act)


def _reads(authority: Authority, name: RoleName) -> list[Read]:
    reads: list[Read] = [*authority.reads, (role.decider, role.stream(name))]
    if name == ADMIN:
        reads.append((administrators.decider, administrators.STREAM))
    return reads
