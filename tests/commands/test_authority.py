"""Nobody hands out, or acts on, more than they may do themselves (threats.md 6); somebody always remains (threats.md 18)."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from commands.context import Context
from commands.define_role import (
    ChangeRolePermissions,
    DefineRole,
    RetireRole,
    change_role_permissions,
    define_role,
    retire_role,
)
from commands.end_session import EndAllSessions, end_all_sessions
from commands.erase_user import EraseUser, erase_user
from commands.grant_role import GrantRole, RevokeRole, grant_role, revoke_role
from commands.suspend_user import ReinstateUser, SuspendUser, reinstate_user, suspend_user
from domain import administrators
from domain.errors import (
    InvalidToken,
    NoSuchRole,
    NoSuchUser,
    PermissionDenied,
    RightsExceeded,
    SessionEnded,
)
from domain.ids import RoleName, UserId
from domain.permission import Permission
from domain.user_events import RoleGranted, RoleRevoked, UserSuspended
from tests.commands.world import ANYBODY, SYSTEM, World

ADMIN, SUPPORT, EDITOR = RoleName("admin"), RoleName("support"), RoleName("editor")
PLAIN = RoleName("plain")
"""A role that gives nothing."""
Act = Callable[[UserId, Context, World], Awaitable[Any]]


def me(ctx: Context) -> Any:
    assert ctx.principal is not None
    return ctx.principal


async def define(world: World, name: str, *permissions: str) -> None:
    wish = DefineRole(name=RoleName(name), permissions=tuple(Permission(p) for p in permissions))
    await define_role(wish, SYSTEM, world.ports)


async def enter(world: World, name: str, *roles: RoleName) -> Context:
    """A signed-in user with these roles besides the default one."""
    user_id = await world.register(name)
    for held in roles:
        await grant_role(GrantRole(user_id=user_id, role=held), SYSTEM, world.ports)
    return await world.ctx(await world.sign_in(name))


async def admins(world: World) -> Any:
    return (await world.state(administrators.decider, administrators.STREAM)).user_ids


ACTS: dict[str, Act] = {
    "suspend": lambda u, c, w: suspend_user(SuspendUser(user_id=u), c, w.ports),
    "reinstate": lambda u, c, w: reinstate_user(ReinstateUser(user_id=u), c, w.ports),
    "erase": lambda u, c, w: erase_user(EraseUser(user_id=u), c, w.ports),
    "end sessions": lambda u, c, w: end_all_sessions(EndAllSessions(user_id=u), c, w.ports),
    "grant": lambda u, c, w: grant_role(GrantRole(user_id=u, role=PLAIN), c, w.ports),
    "revoke": lambda u, c, w: revoke_role(RevokeRole(user_id=u, role=EDITOR), c, w.ports),
}


@pytest.mark.parametrize("act", list(ACTS))
async def test_nobody_acts_on_who_holds_a_permission_they_lack(world: World, act: str) -> None:
    await define(world, "support", "minos.users.*", "tasks.read")
    await define(world, "editor", "tasks.*")
    support, editor = await enter(world, "sue", SUPPORT), await enter(world, "edna", EDITOR)
    before = len(world.memory.log)
    with pytest.raises(RightsExceeded):
        await ACTS[act](me(editor).user_id, support, world)
    assert len(world.memory.log) == before


@pytest.mark.parametrize("act", list(ACTS))
async def test_nobody_acts_without_being_somebody(world: World, act: str) -> None:
    user_id = await world.register("ada")
    with pytest.raises(InvalidToken):
        await ACTS[act](user_id, ANYBODY, world)


@pytest.mark.parametrize("act", list(ACTS))
async def test_nothing_is_done_to_nobody(world: World, act: str) -> None:
    with pytest.raises(NoSuchUser):
        await ACTS[act](UserId(world.ports.random.uuid7()), SYSTEM, world)


@pytest.mark.parametrize("act", list(ACTS))
@pytest.mark.parametrize("when", ["before", "between load and append"])
@pytest.mark.parametrize("loss", ["demoted", "suspended", "signed out", "role narrowed", "role retired"])
async def test_who_lost_their_rights_meanwhile_does_nothing_with_them(world: World, act: str, when: str, loss: str) -> None:
    await define(world, "support", "minos.*")
    await define(world, "plain")
    support, ada = await enter(world, "sue", SUPPORT), await world.register("ada")
    if act == "reinstate":
        await suspend_user(SuspendUser(user_id=ada), SYSTEM, world.ports)
    if act == "revoke":
        await define(world, "editor")
        await grant_role(GrantRole(user_id=ada, role=EDITOR), SYSTEM, world.ports)
    losses: dict[str, Callable[[], Awaitable[Any]]] = {
        "demoted": lambda: revoke_role(RevokeRole(user_id=me(support).user_id, role=SUPPORT), SYSTEM, world.ports),
        "suspended": lambda: suspend_user(SuspendUser(user_id=me(support).user_id), SYSTEM, world.ports),
        "signed out": lambda: end_all_sessions(EndAllSessions(user_id=me(support).user_id), SYSTEM, world.ports),
        "role narrowed": lambda: change_role_permissions(ChangeRolePermissions(role=SUPPORT, permissions=()), SYSTEM, world.ports),
        "role retired": lambda: retire_role(RetireRole(role=SUPPORT), SYSTEM, world.ports),
    }

    async def lose(_: object = None) -> None:
        await losses[loss]()

    if when == "before":
        await lose()
    else:
        world.store.overtake = lose
    before = await world.account(ada)
    with pytest.raises((PermissionDenied, SessionEnded, InvalidToken)):
        await ACTS[act](ada, support, world)
    assert await world.account(ada) == before


async def test_a_role_gained_meanwhile_is_no_reason_to_refuse(world: World) -> None:
    await define(world, "support", "minos.*")
    await define(world, "editor", "tasks.*")
    support, ada = await enter(world, "sue", SUPPORT), await world.register("ada")
    await grant_role(GrantRole(user_id=me(support).user_id, role=EDITOR), SYSTEM, world.ports)
    await suspend_user(SuspendUser(user_id=ada), support, world.ports)
    assert len(world.happened(UserSuspended)) == 1


async def test_a_target_that_gained_rights_meanwhile_is_out_of_reach(world: World, admin: Context) -> None:
    await define(world, "support", "minos.*")
    support, ada = await enter(world, "sue", SUPPORT), await world.register("ada")

    async def promote(_: object) -> None:
        await grant_role(GrantRole(user_id=ada, role=ADMIN), admin, world.ports)

    world.store.overtake = promote
    with pytest.raises(RightsExceeded):
        await suspend_user(SuspendUser(user_id=ada), support, world.ports)
    assert world.happened(UserSuspended) == []


async def test_a_target_whose_role_was_widened_meanwhile_is_out_of_reach(world: World) -> None:
    await define(world, "support", "minos.*")
    await define(world, "editor", "minos.x")
    support, editor = await enter(world, "sue", SUPPORT), await enter(world, "edna", EDITOR)

    async def widen(_: object) -> None:
        wish = ChangeRolePermissions(role=EDITOR, permissions=(Permission("tasks.*"),))
        await change_role_permissions(wish, SYSTEM, world.ports)

    world.store.overtake = widen
    with pytest.raises(RightsExceeded):
        await suspend_user(SuspendUser(user_id=me(editor).user_id), support, world.ports)
    assert world.happened(UserSuspended) == []


async def test_a_role_is_granted_and_taken_once(world: World, admin: Context) -> None:
    await define(world, "editor", "tasks.*")
    ada = await world.register("ada")
    for wish in (grant_role(GrantRole(user_id=ada, role=EDITOR), admin, world.ports) for _ in range(2)):
        await wish
    assert (await world.account(ada)).roles == (EDITOR, "user")
    for _ in range(2):
        await revoke_role(RevokeRole(user_id=ada, role=EDITOR), admin, world.ports)
    assert len([e for e in world.happened(RoleGranted, RoleRevoked) if getattr(e, "role", "") == EDITOR]) == 2


async def test_nobody_grants_more_than_they_hold(world: World) -> None:
    await define(world, "support", "minos.*", "tasks.read")
    await define(world, "editor", "tasks.*")
    support, ada = await enter(world, "sue", SUPPORT), await world.register("ada")
    for wanted in (EDITOR, ADMIN):
        with pytest.raises(RightsExceeded):
            await grant_role(GrantRole(user_id=ada, role=wanted), support, world.ports)
        with pytest.raises(RightsExceeded):
            await grant_role(GrantRole(user_id=me(support).user_id, role=wanted), support, world.ports)
    await grant_role(GrantRole(user_id=ada, role=SUPPORT), support, world.ports)


async def test_a_role_widened_while_it_is_granted_is_measured_as_it_is(world: World) -> None:
    await define(world, "support", "minos.*", "tasks.read")
    await define(world, "editor", "tasks.read")
    support, ada = await enter(world, "sue", SUPPORT), await world.register("ada")

    async def widen(_: object) -> None:
        wish = ChangeRolePermissions(role=EDITOR, permissions=(Permission("tasks.*"),))
        await change_role_permissions(wish, SYSTEM, world.ports)

    world.store.overtake = widen
    with pytest.raises(RightsExceeded):
        await grant_role(GrantRole(user_id=ada, role=EDITOR), support, world.ports)
    assert (await world.account(ada)).roles == ("user",)


async def test_a_role_that_is_not_there_or_retired_is_not_granted(world: World, admin: Context) -> None:
    ada = await world.register("ada")
    with pytest.raises(NoSuchRole):
        await grant_role(GrantRole(user_id=ada, role=EDITOR), admin, world.ports)
    await define(world, "editor")
    await retire_role(RetireRole(role=EDITOR), admin, world.ports)
    with pytest.raises(NoSuchRole):
        await grant_role(GrantRole(user_id=ada, role=EDITOR), admin, world.ports)


async def test_a_demotion_acts_on_the_next_question_not_on_the_next_token(world: World, admin: Context) -> None:
    await define(world, "editor", "tasks.*")
    ctx = await enter(world, "edna", EDITOR)
    signed_in = await world.sign_in("edna")
    assert (await world.principal(signed_in.access_token)).permissions == ("tasks.*",)
    await revoke_role(RevokeRole(user_id=me(ctx).user_id, role=EDITOR), admin, world.ports)
    principal = await world.principal(signed_in.access_token)
    assert (principal.roles, principal.permissions) == (("user",), ())
