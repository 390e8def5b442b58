"""Make a role, change what it gives, or retire it. Nobody defines more than they may do themselves (threats.md 6)."""

from typing import Annotated

from msgspec import Meta, Struct

from commands.authority import caller_reads, require_within
from commands.context import Context
from commands.ports import Ports
from commands.shown_text import SHOWN
from commands.transact import Done, Transaction, earlier_answer, transact
from domain import role
from domain.event import SealClass, Sealed
from domain.ids import RoleSlug
from domain.permission import PermissionText
from domain.role import BUILT_IN, Undefined

Permissions = Annotated[tuple[PermissionText, ...], Meta(max_length=256)]


class DefineRole(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: RoleSlug
    permissions: Permissions
    description: Annotated[str, Meta(min_length=1, max_length=1_000, pattern=SHOWN)] | None = None

    def __repr__(self) -> str:
        return f"DefineRole(name={self.name})"


class ChangeRolePermissions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    role: RoleSlug
    permissions: Permissions


class RetireRole(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    role: RoleSlug


class DefinedRole(Struct, frozen=True, kw_only=True):
    role: RoleSlug


async def define_role(command: DefineRole, ctx: Context, ports: Ports) -> Done[DefinedRole]:
    """Raises RoleExists (also for a retired name), RightsExceeded."""
    if (first := await earlier_answer(ports, ctx, DefinedRole)) is not None:
        return first
    stream = role.stream(command.name)
    description = await _sealed_description(command, ports)

    def decide(tx: Transaction) -> DefinedRole:
        require_within(command.permissions, ctx, tx)
        events = role.define(
            tx.state(role.decider, stream),
            role=command.name,
            permissions=command.permissions,
            description=description,
            at=tx.at,
        )
        tx.record(role.decider, stream, events)
        return DefinedRole(role=command.name)

    return await transact(ports, ctx, [(role.decider, stream), *caller_reads(ctx)], decide, remember=DefinedRole)


async def change_role_permissions(command: ChangeRolePermissions, ctx: Context, ports: Ports) -> Done[None]:
    """Raises NoSuchRole, RoleProtected, RightsExceeded (for what it gave before, too)."""
    stream = role.stream(command.role)

    def decide(tx: Transaction) -> None:
        state = tx.state(role.decider, stream)
        require_within((*role.gives(state), *command.permissions), ctx, tx)
        tx.record(role.decider, stream, role.change_permissions(state, permissions=command.permissions, at=tx.at))

    return await transact(ports, ctx, [(role.decider, stream), *caller_reads(ctx)], decide)


async def retire_role(command: RetireRole, ctx: Context, ports: Ports) -> Done[None]:
    """From now on it gives nothing to whoever holds it. Raises NoSuchRole, RoleProtected, RightsExceeded."""
    stream = role.stream(command.role)

    def decide(tx: Transaction) -> None:
        state = tx.state(role.decider, stream)
        require_within(role.gives(state), ctx, tx)
        tx.record(role.decider, stream, role.retire(state, at=tx.at))

    return await transact(ports, ctx, [(role.decider, stream), *caller_reads(ctx)], decide)


async def define_built_in_roles(ctx: Context, ports: Ports) -> None:
    """Make `admin` and `user` where they are not yet there; safe to run at every start."""

    def decide(tx: Transaction) -> None:
        for name, permissions in BUILT_IN.items():
            stream = role.stream(name)
            state = tx.state(role.decider, stream)
            if isinstance(state, Undefined):
                events = role.define(state, role=name, permissions=permissions, description=None, at=tx.at)
                tx.record(role.decider, stream, events)

    await transact(ports, ctx, [(role.decider, role.stream(name)) for name in BUILT_IN], decide)


async def _sealed_description(command: DefineRole, ports: Ports) -> Sealed | None:
    if command.description is None:
        return None
    stream = role.stream(command.name)
    sealed = await ports.vault.seal(
        subject=stream, seal_class=SealClass.PROFILE, stream=stream, fields={"description": command.description}
    )
    return sealed["description"]
