"""Nobody hands out, or acts on, more than they may do themselves (threats.md 6); somebody always remains (threats.md 18)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

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
from commands.end_session import EndAllSessions, EndSession, end_all_sessions, end_session
from commands.grant_role import GrantRole, RevokeRole, grant_role, revoke_role
from commands.suspend_user import ReinstateUser, SuspendUser, reinstate_user, suspend_user
from domain import administrators, errors, role
from domain.errors import (
    InvalidToken,
    LastAdminProtected,
    NoSuchRole,
    NoSuchSession,
    NoSuchUser,
    PermissionDenied,
    RightsExceeded,
    RoleExists,
    RoleProtected,
    SessionEnded,
)
from domain.ids import RoleName, SessionId, UserId
from domain.permission import Permission
from domain.role import RoleDefined, RolePermissionsChanged, RoleRetired
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
