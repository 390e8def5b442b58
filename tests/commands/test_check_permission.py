"""May they? On the truth, with the reason."""

import pytest

from commands.check_permission import Because, CheckPermission, check_permissions
from commands.define_role import DefineRole, RetireRole, define_role, retire_role
from commands.grant_role import GrantRole, grant_role
from domain.errors import AudienceNotAllowed
from domain.ids import AudienceName, RoleName
from domain.permission import Permission
from tests.commands.world import SYSTEM, World

EDITOR = RoleName("editor")
READ, WRITE = CheckPermission(permission=Permission("tasks.read")), CheckPermission(permission=Permission("notes.write"))


async def test_every_question_is_answered_in_order_with_the_role_that_gives_it(world: World) -> None:
    ada = await world.register("ada")
    await define_role(DefineRole(name=EDITOR, permissions=(Permission("tasks.*"),)), SYSTEM, world.ports)
    await grant_role(GrantRole(user_id=ada, role=EDITOR), SYSTEM, world.ports)
    principal = await world.principal((await world.sign_in("ada")).access_token)
    before = len(world.memory.log)
    yes, no = await check_permissions([READ, WRITE], principal, world.ports)
    assert (yes.allowed, yes.because, yes.role) == (True, Because.ROLE, EDITOR)
    assert (no.allowed, no.because, no.role) == (False, Because.NO_ROLE, None)
    assert len(world.memory.log) == before
    await retire_role(RetireRole(role=EDITOR), SYSTEM, world.ports)
    [gone] = await check_permissions([READ], principal, world.ports)
    assert not gone.allowed


async def test_an_audience_that_is_not_known_is_no_question(world: World) -> None:
    ctx = await world.enter("ada")
    assert ctx.principal is not None
    question = CheckPermission(permission=Permission("a.b"), audience=AudienceName("elsewhere"))
    with pytest.raises(AudienceNotAllowed):
        await check_permissions([question], ctx.principal, world.ports)
    known = CheckPermission(permission=Permission("a.b"), audience=AudienceName("tasks"))
    assert [v.allowed for v in await check_permissions([known], ctx.principal, world.ports)] == [False]
