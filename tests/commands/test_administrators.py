"""Somebody always remains (threats.md 18), and roles are held to the rights of who touches them."""

import asyncio

import pytest
from msgspec.structs import replace

from commands.context import Context, Repeat
from commands.define_role import (
    ChangeRolePermissions,
    DefineRole,
    RetireRole,
    change_role_permissions,
    define_built_in_roles,
    define_role,
    retire_role,
)
from commands.end_session import EndSession, end_session
from commands.grant_role import GrantRole, RevokeRole, grant_role, revoke_role
from commands.suspend_user import ReinstateUser, SuspendUser, reinstate_user, suspend_user
from domain import errors, role
from domain.errors import (
    LastAdminProtected,
    NoSuchRole,
    NoSuchSession,
    PermissionDenied,
    RightsExceeded,
    RoleExists,
    RoleProtected,
)
from domain.ids import RoleName, SessionId
from domain.permission import Permission
from domain.role import RoleDefined, RolePermissionsChanged, RoleRetired
from domain.user_events import UserSuspended
from tests.commands.test_authority import ADMIN, EDITOR, SUPPORT, admins, define, enter, me
from tests.commands.world import SYSTEM, World


async def test_administrators_follow_grants_suspensions_and_reinstatements(world: World, admin: Context) -> None:
    ada = await world.register("ada")
    await grant_role(GrantRole(user_id=ada, role=ADMIN), admin, world.ports)
    assert await admins(world) == {me(admin).user_id, ada}
    await suspend_user(SuspendUser(user_id=ada), admin, world.ports)
    assert await admins(world) == {me(admin).user_id}
    await reinstate_user(ReinstateUser(user_id=ada), admin, world.ports)
    assert await admins(world) == {me(admin).user_id, ada}
    await revoke_role(RevokeRole(user_id=ada, role=ADMIN), admin, world.ports)
    assert await admins(world) == {me(admin).user_id}


async def test_a_suspended_administrator_is_none_who_remains(world: World, admin: Context) -> None:
    ada = await world.register("ada")
    await suspend_user(SuspendUser(user_id=ada), admin, world.ports)
    await grant_role(GrantRole(user_id=ada, role=ADMIN), admin, world.ports)
    for act in (
        revoke_role(RevokeRole(user_id=me(admin).user_id, role=ADMIN), admin, world.ports),
        suspend_user(SuspendUser(user_id=me(admin).user_id), SYSTEM, world.ports),
    ):
        with pytest.raises(LastAdminProtected):
            await act
    await reinstate_user(ReinstateUser(user_id=ada), admin, world.ports)
    await revoke_role(RevokeRole(user_id=me(admin).user_id, role=ADMIN), admin, world.ports)
    assert await admins(world) == {ada}


async def test_two_administrators_demoting_each_other_a_thousand_times_leave_one(world: World, admin: Context) -> None:
    bob = await enter(world, "bob", ADMIN)
    ids = [me(admin).user_id, me(bob).user_id]
    for n in range(1_000):
        one, two = (admin, bob) if n % 2 else (bob, admin)
        answers = await asyncio.gather(
            revoke_role(RevokeRole(user_id=me(two).user_id, role=ADMIN), one, world.ports),
            revoke_role(RevokeRole(user_id=me(one).user_id, role=ADMIN), two, world.ports),
            return_exceptions=True,
        )
        refused = [a for a in answers if isinstance(a, LastAdminProtected | PermissionDenied | RightsExceeded)]
        assert len(refused) == 1, answers
        left = await admins(world)
        assert len(left) == 1
        [gone] = set(ids) - left
        await grant_role(GrantRole(user_id=gone, role=ADMIN), SYSTEM, world.ports)


async def test_two_administrators_suspending_each_other_leave_one(world: World, admin: Context) -> None:
    bob = await enter(world, "bob", ADMIN)
    await asyncio.gather(
        suspend_user(SuspendUser(user_id=me(bob).user_id), admin, world.ports),
        suspend_user(SuspendUser(user_id=me(admin).user_id), bob, world.ports),
        return_exceptions=True,
    )
    assert len(await admins(world)) == 1
    assert len(world.happened(UserSuspended)) == 1


async def test_a_suspension_ends_all_sessions_and_refuses_new_ones(world: World, admin: Context) -> None:
    ctx = await world.enter("ada")
    await suspend_user(SuspendUser(user_id=me(ctx).user_id, note="chargeback"), admin, world.ports)
    assert not await world.is_live(ctx)
    with pytest.raises(errors.InvalidCredentials):
        await world.sign_in("ada")
    await reinstate_user(ReinstateUser(user_id=me(ctx).user_id), admin, world.ports)
    assert not await world.is_live(ctx)
    await world.sign_in("ada")
    assert b"chargeback" not in b"".join(e.payload for e in world.memory.log)


async def test_an_administrator_ends_one_session_of_somebody(world: World, admin: Context) -> None:
    ctx, other = await world.enter("ada"), await world.ctx(await world.sign_in("ada"))
    wish = EndSession(user_id=me(ctx).user_id, session_id=me(ctx).session_id)
    await end_session(wish, admin, world.ports)
    await end_session(wish, admin, world.ports)
    assert [await world.is_live(ctx), await world.is_live(other)] == [False, True]


async def test_a_session_is_not_found_under_another_user(world: World, admin: Context) -> None:
    ctx, bob = await world.enter("ada"), await world.enter("bob")
    for session_id in (me(bob).session_id, SessionId(world.ports.random.uuid7())):
        with pytest.raises(NoSuchSession):
            await end_session(EndSession(user_id=me(ctx).user_id, session_id=session_id), admin, world.ports)
    assert await world.is_live(bob)


async def test_a_role_is_defined_changed_and_retired(world: World, admin: Context) -> None:
    wish = DefineRole(name=EDITOR, permissions=(Permission("tasks.read"),), description="reads tasks")
    await define_role(wish, admin, world.ports)
    with pytest.raises(RoleExists):
        await define_role(wish, admin, world.ports)
    await change_role_permissions(ChangeRolePermissions(role=EDITOR, permissions=(Permission("tasks.*"),)), admin, world.ports)
    for _ in range(2):
        await retire_role(RetireRole(role=EDITOR), admin, world.ports)
    assert len([e for e in world.happened(RoleDefined) if getattr(e, "role", "") == EDITOR]) == 1
    assert len(world.happened(RolePermissionsChanged, RoleRetired)) == 2
    assert b"reads tasks" not in b"".join(e.payload for e in world.memory.log)
    with pytest.raises(RoleExists):
        await define_role(wish, admin, world.ports)


async def test_nobody_defines_or_touches_a_role_beyond_their_own_rights(world: World) -> None:
    await define(world, "support", "minos.*")
    await define(world, "editor", "tasks.*")
    support = await enter(world, "sue", SUPPORT)
    for wish in (
        define_role(DefineRole(name=RoleName("own"), permissions=(Permission("*"),)), support, world.ports),
        define_role(DefineRole(name=RoleName("own"), permissions=(Permission("tasks.read"),)), support, world.ports),
        change_role_permissions(ChangeRolePermissions(role=SUPPORT, permissions=(Permission("*"),)), support, world.ports),
        change_role_permissions(ChangeRolePermissions(role=EDITOR, permissions=()), support, world.ports),
        retire_role(RetireRole(role=EDITOR), support, world.ports),
    ):
        with pytest.raises(RightsExceeded):
            await wish
    assert role.gives(await world.state(role.decider, role.stream(EDITOR))) == ("tasks.*",)


async def test_built_in_roles_stay_even_for_an_administrator(world: World, admin: Context) -> None:
    for name in (ADMIN, RoleName("user")):
        with pytest.raises(RoleProtected):
            await change_role_permissions(ChangeRolePermissions(role=name, permissions=()), admin, world.ports)
        with pytest.raises(RoleProtected):
            await retire_role(RetireRole(role=name), admin, world.ports)


async def test_making_the_built_in_roles_again_changes_nothing(world: World) -> None:
    before = len(world.memory.log)
    await asyncio.gather(*(define_built_in_roles(SYSTEM, world.ports) for _ in range(4)))
    assert len(world.memory.log) == before


async def test_changing_a_role_that_is_not_there_is_refused(world: World, admin: Context) -> None:
    with pytest.raises(NoSuchRole):
        await change_role_permissions(ChangeRolePermissions(role=EDITOR, permissions=()), admin, world.ports)
    with pytest.raises(NoSuchRole):
        await retire_role(RetireRole(role=EDITOR), admin, world.ports)


async def test_a_repeated_definition_gets_its_first_answer(world: World, admin: Context) -> None:
    keyed = replace(admin, repeat=Repeat(key=b"k" * 32, digest=b"d" * 32))
    wish = DefineRole(name=EDITOR, permissions=())

    async def twin(_: object) -> None:
        await define_role(wish, keyed, world.ports)

    world.store.overtake = twin
    assert (await define_role(wish, keyed, world.ports)).result.role == EDITOR
    assert (await define_role(wish, keyed, world.ports)).result.role == EDITOR
    assert len([e for e in world.happened(RoleDefined) if getattr(e, "role", "") == EDITOR]) == 1
