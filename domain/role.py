"""A role: a name that stands for permissions. Roles are data; `admin` and `user` exist from the start and stay."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain.decider import Decider
from domain.errors import NoSuchRole, RoleExists, RoleProtected
from domain.event import Event, Sealed
from domain.ids import RoleName, RoleSlug, StreamName
from domain.permission import EVERYTHING, Permission, PermissionText

ADMIN = RoleName("admin")
USER = RoleName("user")
BUILT_IN: dict[RoleName, tuple[Permission, ...]] = {ADMIN: (EVERYTHING,), USER: ()}


class RoleDefined(Event, frozen=True, kw_only=True, tag="role.defined.v1"):
    role: RoleSlug
    permissions: tuple[PermissionText, ...]
    description: Sealed | None


class RolePermissionsChanged(Event, frozen=True, kw_only=True, tag="role.permissions_changed.v1"):
    role: RoleSlug
    permissions: tuple[PermissionText, ...]
    definition: int
    """Rises with every change, from 1: what a downstream compares to know the newer one."""


class RoleRetired(Event, frozen=True, kw_only=True, tag="role.retired.v1"):
    role: RoleSlug
    definition: int


RoleEvent = RoleDefined | RolePermissionsChanged | RoleRetired


class Undefined(Struct, frozen=True, tag="undefined"):
    pass


class Defined(Struct, frozen=True, kw_only=True, tag="defined"):
    role: RoleSlug
    permissions: tuple[PermissionText, ...]
    description: Sealed | None
    definition: int


class Retired(Struct, frozen=True, kw_only=True, tag="retired"):
    """Gives nothing to whoever still holds it, and its name is not used again."""

    role: RoleSlug
    definition: int


Role = Undefined | Defined | Retired


def evolve(state: Role, event: RoleEvent) -> Role:
    match event:
        case RoleDefined():
            return Defined(role=event.role, permissions=event.permissions, description=event.description, definition=1)
        case RolePermissionsChanged():
            if not isinstance(state, Defined):
                return state
            return replace(state, permissions=event.permissions, definition=event.definition)
        case RoleRetired():
            return Retired(role=event.role, definition=event.definition)
        case _:
            assert_never(event)


decider: Decider[Role, RoleEvent] = Decider("role", Role, 1, Undefined(), evolve)  # type: ignore[arg-type]  # a union is a type form


def stream(role: RoleName) -> StreamName:
    return StreamName(f"role-{role}")


def define(
    state: Role, *, role: RoleName, permissions: Iterable[Permission], description: Sealed | None, at: datetime
) -> Sequence[RoleEvent]:
    if not isinstance(state, Undefined):
        raise RoleExists
    return [RoleDefined(role=role, permissions=_ordered(permissions), description=description, at=at)]


def change_permissions(state: Role, *, permissions: Iterable[Permission], at: datetime) -> Sequence[RoleEvent]:
    wanted = _ordered(permissions)
    match state:
        case Undefined() | Retired():
            raise NoSuchRole
        case Defined():
            _refuse_built_in(state.role)
            if wanted == state.permissions:
                return []
            return [RolePermissionsChanged(role=state.role, permissions=wanted, definition=state.definition + 1, at=at)]
        case _:
            assert_never(state)


def retire(state: Role, *, at: datetime) -> Sequence[RoleEvent]:
    match state:
        case Undefined():
            raise NoSuchRole
        case Retired():
            return []
        case Defined():
            _refuse_built_in(state.role)
            return [RoleRetired(role=state.role, definition=state.definition + 1, at=at)]
        case _:
            assert_never(state)


def gives(state: Role) -> tuple[Permission, ...]:
    """Give what a holder may do by this role, now."""
    return state.permissions if isinstance(state, Defined) else ()


def _ordered(permissions: Iterable[Permission]) -> tuple[Permission, ...]:
    return tuple(sorted(set(permissions)))


def _refuse_built_in(role: RoleName) -> None:
    if role in BUILT_IN:
        raise RoleProtected
